import Blobs
import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import JSON
import LedgerService
import RunnerService
import ServiceShell
import ServiceTestSupport
import Synchronization
import Telemetry
import TrainingService
import TestSupport
import Testing
import Web

@Suite struct RunnerServiceTests {
    /// Stands in for datanet's export.
    private static let standIn = Mount(
        "stand-in",
        routes: [
            Route(
                .get, "/v1/datanets/{id}/snapshots/{number}/items", operation: "standInItems", summary: "A stand-in for datanet.",
                access: .authenticated, query: [QueryParameter("purpose", .oneOf("train"), "What for.", required: true)],
                replies: [.content(200, "Lines.", type: "application/jsonl")]
            ) { _ in
                let lines = (0..<6).map { number in
                    "{\"item\":\"it_\(number)\",\"owner\":\"carl\",\"content\":{\"prompt\":\"What moves \(number)?\",\"completion\":\"The tides.\"}}"
                }
                return Response(body: .bytes(Array(lines.joined(separator: "\n").utf8)))
            }
        ])

    private func call(
        _ house: ServiceHouse, _ method: String, _ path: String, _ json: JSONValue? = nil
    ) async throws -> (status: Int, json: JSONValue, bytes: [UInt8]) {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(60))
        let scopes: Set<String> = ["jobs:write", "models:write", "artefacts:read", "runners:serve", "runners:work"]
        request.headers.set("Authorization", "Bearer " + (try house.token("olga", scopes: scopes)))
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.headers.set("Idempotency-Key", "key-" + Hex.encode(Random.bytes(8)))
            request.body = .bytes(JSON.write(json))
        }
        let response = try await house.transport.send(request)
        let body = try await response.body.collect(upTo: 1 << 24)
        return (response.status, (try? JSON.parse(body)) ?? .null, body)
    }

    /// The last events of an answer, and its text.
    private func ask(_ house: ServiceHouse, _ more: [(String, JSONValue)]) async throws -> (text: String, end: JSONValue, isDone: Bool) {
        let question: [(String, JSONValue)] = [
            ("model", "tiny"), ("messages", [["role": "user", "content": "What moves 1?"]]), ("max_tokens", 8), ("temperature", 0),
        ]
        let answer = try await call(house, "POST", "/runner/v1/chat/completions", .object(JSONObject(question + more)))
        try #require(answer.status == 200, "\(answer.json)")
        let data = String(decoding: answer.bytes, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("data: ") }
            .map { $0.dropFirst(6) }
        let chunks = data.filter { $0 != "[DONE]" }.compactMap { try? JSON.parse(Array($0.utf8)) }
        let text = chunks.compactMap { $0["choices"]?.arrayValue?.first?["delta"]?["content"]?.stringValue }.joined()
        return (text, try #require(chunks.last), data.last == "[DONE]")
    }

    private func append(_ house: ServiceHouse, _ data: some EventData, _ stream: String) async throws {
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(stream)), time: try house.context(.datanet).clock(), actor: "olga",
            cause: .command(id: stream, digest: SHA256.hash(utf8: stream)), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
            data: data.json)
        _ = try await house.ledger.client(for: .datanet).append(AppendRequest(events: [event.encoded()]))
    }

    /// A Datanet of olga's with a snapshot of six items.
    private func publishSnapshot(_ house: ServiceHouse) async throws {
        let items = (0..<6).map { number in
            AdmittedItem(
                item: "it_\(number)", contribution: "ct_1", owner: "carl", commitment: SHA256.hash(utf8: "\(number)"), tokens: 10,
                licence: "CC0-1.0", language: "en", cluster: "it_\(number)")
        }
        let list = try await house.context(.training).openEvidence().put(canonical: try EvidenceList<AdmittedItem>.encode(items)).hash
        try await append(
            house,
            DatanetCreated(
                datanet: "dn_1", owner: "olga", domain: "defi", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 1_000, curatorPoints: 0, contributorPoints: 9_000,
                    admission: "automatic", minimumQuality: 0, panel: 0, quorum: 0, voting: "role")), "datanet/dn_1")
        try await append(
            house,
            SnapshotPublished(
                datanet: "dn_1", snapshot: "sn_1", number: 1, root: list, manifest: list, items: 6, tokens: 60, owners: 1, list: list),
            "snapshot/sn_1")
    }

    @Test func aJobIsTrainedAndItsAdapterAnswers() async throws {
        try await withServiceHouse { house in
            let base = try house.context(.training)
            try TinyBase.write(to: base.folder + "/tiny")
            let context = ServiceContext(
                service: base.service, log: base.log, database: base.database, peers: base.peers, signer: base.signer, folder: base.folder,
                shared: base.shared,
                settings: Configuration(["OPENLEDGER_RUNNER_MODELS": "tiny=\(base.folder)/tiny", "OPENLEDGER_RUNNER_THREADS": "1"]),
                clock: base.clock, logger: base.logger, metrics: base.metrics)
            let training = try await TrainingService.open(context)
            let runner = try await RunnerService.open(context)
            try house.mount([Self.standIn, training.mount, runner.mount], grants: [TrainingService.grants, RunnerService.grants])
            let work = Task {
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await training.run() }
                    group.addTask { await runner.run() }
                }
            }
            defer { work.cancel() }
            try await publishSnapshot(house)
            let order: JSONValue = [
                "base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]],
                "settings": ["epochs": 2, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 64],
            ]
            try await eventually("base and snapshot are known") {
                try await call(house, "POST", "/v1/training-jobs/quote", order).status == 200
            }
            let job = try #require(try await call(house, "POST", "/v1/training-jobs", order).json["job"]?.stringValue)
            var view: JSONValue = .null
            try await eventually("the job is over", timeout: .seconds(120)) {
                view = try await call(house, "GET", "/v1/training-jobs/" + job).json
                return ["succeeded", "failed"].contains(view["status"]?.stringValue)
            }
            try #require(view["status"] == "succeeded", "\(view)")

            let name = try #require(view["adapter"]?.stringValue)
            let manifest = try await call(house, "GET", "/v1/adapters/artefacts/" + name)
            #expect(SHA256.hash(manifest.bytes).prefixed == name)
            let files = try #require(manifest.json["files"]?.arrayValue)
            #expect(
                files.compactMap { $0["path"]?.stringValue } == [
                    "adapter_config.json", "adapter_model.safetensors", "openledger.json",
                ])
            for file in files {
                let digest = try #require(file["sha256"]?.stringValue)
                let bytes = try await call(house, "GET", "/v1/adapters/artefacts/" + digest).bytes
                #expect(SHA256.hash(bytes).prefixed == digest && file["bytes"] == .int(Int64(bytes.count)))
            }
            let answer = try await ask(house, [("openledger_adapter", .string(name))])
            #expect(answer.isDone && (answer.end["usage"]?["completion_tokens"]?.intValue ?? 0) > 0)
            let row = try #require(answer.end["openledger_row"]?.stringValue)
            let kept = try await call(house, "GET", "/v1/adapters/artefacts/" + row).bytes
            #expect(SHA256.hash(kept).prefixed == row)

            // The base alone has nobody to thank; unknown models and adapters are not found.
            let plain = try await ask(house, [])
            #expect(plain.isDone && plain.end["openledger_row"] == nil)
            let messages: JSONValue = [["role": "user", "content": "x"]]
            let unknown = try await call(
                house, "POST", "/runner/v1/chat/completions", ["model": "huge", "messages": messages])
            #expect(unknown.status == 404)
            let nowhere: JSONValue = [
                "model": "tiny", "messages": messages, "openledger_adapter": .digest(SHA256.hash(utf8: "nowhere")),
            ]
            #expect(try await call(house, "POST", "/runner/v1/chat/completions", nowhere).status == 404)
            work.cancel()
            await work.value
        }
    }
}
