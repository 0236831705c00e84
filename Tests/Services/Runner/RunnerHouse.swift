import Blobs
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import HTTP
import HTTPClient
import JSON
import LedgerService
import Money
import ServiceShell
import ServiceTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing
import Threads
import TrainingService
import Web

@testable import Engine
@testable import RunnerService

/// Uploads that come to nothing so many times.
private final class FailingUploads: Transport {
    private let inner: any Transport
    private let left: Lock<Int>

    init(_ inner: any Transport, times: Int) {
        self.inner = inner
        left = Lock(times)
    }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        let fails = left.withLock { left in
            guard request.method == "PUT", left > 0 else { return false }
            left -= 1
            return true
        }
        if fails { throw HTTPClientError.transport(code: 0, text: "cut off", sent: true) }
        return try await inner.send(request)
    }
}

/// Training and the embedded runner on a real ledger, with a tiny base model and a stand-in for the Datanet.
final class RunnerHouse: Sendable {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    let house: ServiceHouse
    /// The base model's folder.
    let base: String
    var root: String { Self.root }
    let reference: SnapshotReference
    /// The embedded runner, to be started by a test that begins without it.
    let service = Lock<RunnerService?>(nil)

    /// The snapshot's items as the Datanet hands them out.
    let rows: [JSONValue] = (0..<6).map { number in
        [
            "item": .string("it_\(number)"), "owner": "carl",
            "content": ["prompt": .string("What moves \(number)?"), "completion": "The tides."],
        ]
    }

    /// What it hands out instead, for a test of other rows.
    private let given = Lock<[JSONValue]?>(nil)

    init(_ house: ServiceHouse, base: String) throws {
        self.house = house
        self.base = base
        reference = SnapshotReference(datanet: "dn_1", snapshot: "sn_1", number: 1, root: SHA256.hash(utf8: "root"))
    }

    /// How often the Datanet is away from now on.
    let absences = Lock(0)

    /// Hands out other rows from now on.
    func give(_ rows: [JSONValue]) { given.withLock { $0 = rows } }

    /// The embedded runner, at rest unless the test lets it work.
    func embedded() throws -> RunnerService { try #require(service.withLock { $0 }) }

    /// Stands in for datanet's export.
    var standIn: Mount {
        Mount(
            "stand-in",
            routes: [
                Route(
                    .get, "/v1/datanets/{id}/snapshots/{number}/items", operation: "standInItems", summary: "A stand-in for datanet.",
                    access: .authenticated, query: [QueryParameter("purpose", .oneOf("train"), "What for.", required: true)],
                    replies: [.content(200, "Lines.", type: "application/jsonl")], problems: [.unavailable]
                ) { [self] _ in
                    let isAway = absences.withLock { left in
                        defer { left = max(0, left - 1) }
                        return left > 0
                    }
                    if isAway { throw Problem(.unavailable, "away") }
                    let lines = given.withLock { $0 } ?? rows
                    return Response(body: .bytes(Array(lines.map { JSON.write($0) }.joined(separator: [0x0A]))))
                }
            ])
    }

    /// Everything that somebody's own runner of this engine needs, with a token that has no scope at all.
    /// - Parameter failing: so many of its uploads come to nothing first.
    func ownRunner(
        _ subject: String, failing: Int = 0
    ) async throws -> (desk: TrainingDesk, library: ModelLibrary, pool: ComputePool) {
        let token = try house.token(subject, scopes: [])
        let transport = FailingUploads(house.transport, times: failing)
        let peers = Peers(transport: transport, addresses: [.training: "http://house"]) { _ in token }
        let pool = try ComputePool(threads: 1)
        let library = try await ModelLibrary.open(
            Configuration(["OPENLEDGER_RUNNER_MODELS": "tiny=\(base)"]), folder: base + "/" + subject, peers: peers, pool: pool,
            logger: .silent)
        return (TrainingDesk(peers: peers, pace: .milliseconds(5)), library, pool)
    }

    /// Somebody stakes, is allowed to see the data, and joins.
    func join(
        _ subject: String, engine: String = TrainingPlan.engine, features: [String] = TrainingDesk.features
    ) async throws {
        try await append(
            StakeBonded(
                pool: "runners", account: AccountID(trusted: "payer:" + subject), amount: Amount(10_000_000, try Asset("USDC/6")),
                postings: .entries([])), "stake/" + subject, by: .billing)
        try await append(
            AccessGranted(grant: "gr_" + subject, datanet: "dn_1", grantee: subject, purpose: "train"), "access/gr_" + subject)
        let describes: JSONValue = [
            "engine": .string(engine), "bases": ["tiny"], "features": .texts(features),
        ]
        try await eventually("the stake is known") {
            try await call("POST", "/v1/runners", describes, as: try house.token(subject, scopes: [])).status == 201
        }
    }

    func token() throws -> String {
        try house.token("olga", scopes: ["jobs:write", "models:write", "artefacts:read", "runners:serve", "runners:work"])
    }

    func call(
        _ method: String, _ path: String, _ json: JSONValue? = nil, as other: String? = nil
    ) async throws -> (status: Int, json: JSONValue, bytes: [UInt8]) {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(60))
        request.headers.set("Authorization", "Bearer " + (try other ?? token()))
        if method != "GET" { request.headers.set("Idempotency-Key", "key-" + Hex.encode(Random.bytes(8))) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        let response = try await house.transport.send(request)
        let body = try await response.body.collect(upTo: 1 << 24)
        return (response.status, (try? JSON.parse(body)) ?? .null, body)
    }

    /// The last events of an answer, and its text.
    func ask(_ more: [(String, JSONValue)]) async throws -> (text: String, end: JSONValue, isDone: Bool) {
        let question: [(String, JSONValue)] = [
            ("model", "tiny"), ("messages", [["role": "user", "content": "What moves 1?"]]), ("max_tokens", 8), ("temperature", 0),
        ]
        let own = Set(more.map(\.0))
        let body = JSONValue.object(JSONObject(question.filter { !own.contains($0.0) } + more))
        let answer = try await call("POST", "/runner/v1/chat/completions", body)
        try #require(answer.status == 200, "\(answer.json)")
        let data = String(decoding: answer.bytes, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("data: ") }
            .map { $0.dropFirst(6) }
        let chunks = data.filter { $0 != "[DONE]" }.compactMap { try? JSON.parse(Array($0.utf8)) }
        let text = chunks.compactMap { $0["choices"]?.arrayValue?.first?["delta"]?["content"]?.stringValue }.joined()
        return (text, try #require(chunks.last), data.last == "[DONE]")
    }

    /// Orders a job on the snapshot, once base and snapshot are known.
    func request(_ settings: JSONValue) async throws -> String {
        let order: JSONValue = ["base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]], "settings": settings]
        try await eventually("base and snapshot are known") {
            try await call("POST", "/v1/training-jobs/quote", order).status == 200
        }
        return try #require(try await call("POST", "/v1/training-jobs", order).json["job"]?.stringValue)
    }

    func show(_ job: String) async throws -> JSONValue { try await call("GET", "/v1/training-jobs/" + job).json }

    /// The job once it has succeeded.
    func finish(_ job: String) async throws -> JSONValue {
        var view: JSONValue = .null
        try await eventually("the job is over", timeout: .seconds(120)) {
            view = try await show(job)
            return ["succeeded", "failed"].contains(view["status"]?.stringValue)
        }
        try #require(view["status"] == "succeeded", "\(view)")
        return view
    }

    /// The end of the job that made an adapter, as the log tells it.
    func completed(_ adapter: String) async throws -> JobCompleted {
        let events = try await house.ledger.client(for: .training).read(from: 0, limit: 1_000, wait: nil).events
        let all = try events.map { try Fact($0) }.filter { $0.type == JobCompleted.type }.map { try JobCompleted($0.data.object()) }
        return try #require(all.first { $0.adapter.prefixed == adapter })
    }

    private func append(_ data: some EventData, _ stream: String, by service: Service = .datanet) async throws {
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(stream)), time: try house.context(service).clock(), actor: "olga",
            cause: .command(id: stream, digest: SHA256.hash(utf8: stream)), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
            data: data.json)
        _ = try await house.ledger.client(for: service).append(AppendRequest(events: [event.encoded()]))
    }

    /// A Datanet of olga's with a snapshot of six items.
    func publishSnapshot() async throws {
        let items = (0..<6).map { number in
            AdmittedItem(
                item: "it_\(number)", contribution: "ct_1", owner: "carl", commitment: SHA256.hash(utf8: "\(number)"), tokens: 10,
                licence: "CC0-1.0", language: "en", cluster: "it_\(number)")
        }
        let list = try await house.context(.training).openEvidence().put(canonical: try EvidenceList<AdmittedItem>.encode(items)).hash
        try await append(
            DatanetCreated(
                datanet: "dn_1", owner: "olga", domain: "defi", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 1_000, curatorPoints: 0, contributorPoints: 9_000,
                    admission: "automatic", minimumQuality: 0, panel: 0, quorum: 0, voting: "role")), "datanet/dn_1")
        try await append(
            SnapshotPublished(
                datanet: "dn_1", snapshot: "sn_1", number: 1, root: reference.root, manifest: list, items: 6, tokens: 60, owners: 1,
                list: list), "snapshot/sn_1")
    }
}

/// Runs training and the runner while the body runs.
/// - Parameter works: whether the embedded runner takes jobs; it answers in any case.
func withRunner(works: Bool = true, settings: [String: String] = [:], _ body: @Sendable (RunnerHouse) async throws -> Void) async throws {
    try await withServiceHouse { house in
        let base = try house.context(.training)
        let runner = try RunnerHouse(house, base: base.folder + "/tiny")
        try TinyBase.write(to: runner.base)
        let context = ServiceContext(
            service: base.service, log: base.log, database: base.database, peers: base.peers, signer: base.signer, folder: base.folder,
            shared: base.shared,
            settings: Configuration(
                [
                    "OPENLEDGER_RUNNER_MODELS": "tiny=\(runner.base)", "OPENLEDGER_RUNNER_THREADS": "1",
                    "OPENLEDGER_RUNNER_REPORT_MILLISECONDS": "5",
                ].merging(settings) { $1 }),
            clock: base.clock, logger: base.logger, metrics: base.metrics)
        let training = try await TrainingService.open(context)
        let service = try await RunnerService.open(context)
        runner.service.withLock { $0 = service }
        try house.mount([runner.standIn, training.mount, service.mount], grants: [TrainingService.grants, RunnerService.grants])
        let work = Task {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await training.run() }
                if works { group.addTask { await service.run() } }
            }
        }
        do {
            try await runner.publishSnapshot()
            if !works {
                let artefact = try ServedModel.artefact(of: runner.base).digest
                let model: JSONValue = [
                    "model": "tiny", "artefact": .string(artefact.prefixed), "licence": "CC0-1.0", "parameters": 10,
                ]
                try #require(try await runner.call("POST", "/v1/base-models", model).status == 201)
            }
            try await body(runner)
        } catch {
            work.cancel()
            await work.value
            throw error
        }
        work.cancel()
        await work.value
    }
}
