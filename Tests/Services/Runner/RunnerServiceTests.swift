import Crypto
import Events
import HTTP
import HTTPClient
import JSON
import ServiceShell
import ServiceTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing
import Threads

@testable import Engine
@testable import RunnerService

@Suite struct RunnerServiceTests {
    @Test func aJobIsTrainedAndItsAdapterAnswers() async throws {
        try await withRunner { runner in
            let job = try await runner.request(["epochs": 2, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 64])
            let view = try await runner.finish(job)

            let name = try #require(view["adapter"]?.stringValue)
            let manifest = try await runner.call("GET", "/v1/adapters/artefacts/" + name)
            #expect(SHA256.hash(manifest.bytes).prefixed == name)
            let files = try #require(manifest.json["files"]?.arrayValue)
            #expect(
                files.compactMap { $0["path"]?.stringValue } == [
                    "adapter_config.json", "adapter_model.safetensors", "openledger.json",
                ])
            for file in files {
                let digest = try #require(file["sha256"]?.stringValue)
                let bytes = try await runner.call("GET", "/v1/adapters/artefacts/" + digest).bytes
                #expect(SHA256.hash(bytes).prefixed == digest && file["bytes"] == .int(Int64(bytes.count)))
            }
            // The folder says where the adapter comes from.
            let told = try #require(files.last?["sha256"]?.stringValue)
            let lineage = try await runner.call("GET", "/v1/adapters/artefacts/" + told).json
            #expect(lineage["job"] == .string(job) && lineage["snapshots"] == [runner.reference.json])
            #expect(lineage["base"] == .digest(try ServedModel.artefact(of: runner.base).digest))
            let answer = try await runner.ask([("openledger_adapter", .string(name))])
            #expect(answer.isDone && (answer.end["usage"]?["completion_tokens"]?.intValue ?? 0) > 0)
            let row = try #require(answer.end["openledger_row"]?.stringValue)
            let kept = try await runner.call("GET", "/v1/adapters/artefacts/" + row).bytes
            #expect(SHA256.hash(kept).prefixed == row)

            // The base alone has nobody to thank; unknown models and adapters are not found.
            let plain = try await runner.ask([])
            #expect(plain.isDone && plain.end["openledger_row"] == nil)
            let messages: JSONValue = [["role": "user", "content": "x"]]
            let unknown = try await runner.call(
                "POST", "/runner/v1/chat/completions", ["model": "huge", "messages": messages])
            #expect(unknown.status == 404)
            let nowhere: JSONValue = [
                "model": "tiny", "messages": messages, "openledger_adapter": .digest(SHA256.hash(utf8: "nowhere")),
            ]
            #expect(try await runner.call("POST", "/runner/v1/chat/completions", nowhere).status == 404)
        }
    }

    /// A runner that answers in fewer bits learns and attributes as any other: its job's repeat, over whole weights, gives the same bytes.
    @Test(arguments: ["bfloat16", "int8"]) func answersInFewerBitsLeaveLearningAsItIs(_ precision: String) async throws {
        try await withRunner(settings: ["OPENLEDGER_RUNNER_PRECISION": precision]) { runner in
            let job = try await runner.request(["epochs": 2, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 64])
            let done = try await runner.finish(job), read = try await runner.call("GET", "/v1/training-jobs/\(job)/record").json
            let name = try #require(done["adapter"]?.stringValue)
            let answer = try await runner.ask([("openledger_adapter", .string(name))])
            #expect(answer.isDone && answer.end["openledger_row"]?.stringValue != nil)
            let again = Retraining.Job(
                id: job, base: "tiny", baseArtefact: try ServedModel.artefact(of: runner.base).digest, snapshots: [runner.reference],
                settings: try #require(read["settings"]), record: try #require(read["record"]))
            let made = try await Retraining(again, base: runner.base).run(rows: [runner.rows])
            let rows = try await runner.completed(name).rows
            #expect(made.adapter.prefixed == name && made.attribution == rows)
        }
    }

    @Test func howAnswersAreComputedIsChosen() async throws {
        let folder = try TemporaryFolder("precision")
        try TinyBase.write(to: folder.path + "/tiny")
        let peers = Peers(transport: InProcessTransport { _ in .init(status: 503) }, addresses: [:], token: { _ in "" })
        func library(_ more: [String: String]) async throws -> ModelLibrary {
            try await ModelLibrary.open(
                Configuration(["OPENLEDGER_RUNNER_MODELS": "tiny=\(folder.path)/tiny"].merging(more) { $1 }), folder: folder.path,
                peers: peers,
                pool: try ComputePool(threads: 1), logger: .silent)
        }
        let plain = try #require(try await library([:]).models["tiny"])
        #expect(plain.model.precision == .float32 && plain.generator.model === plain.model)
        for precision in [WeightPrecision.bfloat16, .int8] {
            let model = try #require(try await library(["OPENLEDGER_RUNNER_PRECISION": precision.rawValue]).models["tiny"])
            #expect(model.model.precision == .float32 && model.generator.model.precision == precision)
            #expect(model.generator.model.byteCount < model.model.byteCount && model.artefact == plain.artefact)
        }
        await #expect(throws: ConfigurationError.self) { _ = try await library(["OPENLEDGER_RUNNER_PRECISION": "int4"]) }
    }

    @Test func whoNamesNoSeedIsAnsweredAnewAndWhatIsAskedForIsTaken() async throws {
        try await withRunner(works: false) { runner in
            let warm: [(String, JSONValue)] = [("temperature", 1), ("max_tokens", 32)]
            let first = try await runner.ask(warm).text
            #expect(try await runner.ask(warm).text != first)
            let seeded = try await runner.ask(warm + [("seed", 5)]).text
            #expect(try await runner.ask(warm + [("seed", 5)]).text == seeded)
            // The smallest set of tokens that reaches nothing is the most likely one.
            let likeliest = try await runner.ask([("temperature", 0), ("max_tokens", 32)]).text
            #expect(try await runner.ask(warm + [("top_p", 0)]).text == likeliest)
        }
    }

    /// A Datanet that answers 502 hinders a job and does not end it: it is asked again, and once the lease has lapsed the job begins anew.
    @Test(arguments: [("30", 3), ("1", 8)]) func aDatanetThatIsAwayForAWhileEndsNoJob(_ lease: String, _ times: Int) async throws {
        try await withRunner(settings: ["OPENLEDGER_TRAINING_LEASE": lease]) { runner in
            runner.absences.withLock { $0 = times }
            let job = try await runner.request(["epochs": 1, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 64])
            let done = try await runner.finish(job)
            let attempt = try #require(done["attempt"]?.intValue)
            #expect(lease == "30" ? attempt == 1 : attempt > 1)
            #expect(runner.absences.withLock { $0 } == 0)
        }
    }

    /// A job that would take more memory than the runner has is refused in the quote, in the order, and where nobody could be asked by the
    /// runner itself before it learns.
    @Test(arguments: [true, false]) func whatTakesTooMuchMemoryIsRefusedBeforeItBegins(_ isAsked: Bool) async throws {
        let nobody = isAsked ? [:] : ["OPENLEDGER_TRAINING_RUNNER_URL": "http://house/nobody"]
        try await withRunner(settings: nobody.merging(["OPENLEDGER_RUNNER_MEMORY": "4MiB"]) { $1 }) { runner in
            let small: JSONValue = ["epochs": 1, "rank": 1, "batch": 1, "holdout": 0, "maximum_tokens": 16, "targets": ["q_proj"]]
            let job = try await runner.request(small)
            func order(_ path: String) async throws -> (status: Int, json: JSONValue) {
                let body: JSONValue = [
                    "base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]], "settings": ["rank": 256, "maximum_tokens": 64],
                ]
                let answer = try await runner.call("POST", path, body)
                return (answer.status, answer.json)
            }
            let quoted = try await order("/v1/training-jobs/quote"), ordered = try await order("/v1/training-jobs")
            if isAsked {
                #expect(quoted.status == 422 && ordered.status == 422)
                #expect(ordered.json["detail"]?.stringValue?.contains("MiB of the runner's memory") == true)
            } else {
                #expect(quoted.status == 200 && quoted.json["memory_bytes"] == nil && ordered.status == 201)
                let large = try #require(ordered.json["job"]?.stringValue)
                var view: JSONValue = .null
                try await eventually("the job is over", timeout: .seconds(120)) {
                    view = try await runner.show(large)
                    return view["status"] == "failed"
                }
                #expect(view["reason"]?.stringValue?.contains("MiB of memory") == true)
            }
            _ = try await runner.finish(job)
        }
    }

    /// Layers that are left to the house are those with which the job fits; who names more is told which would.
    @Test func layersThatTakeTooMuchAreLeftOutOrNamed() async throws {
        try await withRunner(settings: ["OPENLEDGER_RUNNER_MEMORY": "10MiB"]) { runner in
            let all: [JSONValue] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
            func ask(_ path: String, _ targets: JSONValue?) async throws -> (status: Int, json: JSONValue) {
                var settings: [(String, JSONValue)] = [
                    ("rank", 128), ("alpha", 16), ("epochs", 1), ("holdout", 0), ("maximum_tokens", 16), ("batch", 1),
                ]
                if let targets { settings.append(("targets", targets)) }
                let answer = try await runner.call(
                    "POST", path,
                    ["base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]], "settings": .object(JSONObject(settings))])
                return (answer.status, answer.json)
            }
            _ = try await runner.finish(
                try await runner.request(["epochs": 1, "rank": 1, "batch": 1, "holdout": 0, "maximum_tokens": 16, "targets": ["q_proj"]]))
            let quoted = try await ask("/v1/training-jobs/quote", nil), left = try await ask("/v1/training-jobs/quote", "auto")
            let taken = try #require(quoted.json["settings"]?["targets"]?.arrayValue, "\(quoted.json)")
            #expect(!taken.isEmpty && taken.count < all.count && taken.allSatisfy(all.contains) && left.json == quoted.json)
            #expect((quoted.json["memory_bytes"]?.intValue ?? .max) <= 10 << 20)
            let named = try await ask("/v1/training-jobs", .array(all))
            let such = "fewer targets, such as " + taken.compactMap(\.stringValue).joined(separator: ", ")
            #expect(named.status == 422 && named.json["detail"]?.stringValue?.hasSuffix(such) == true, "\(named.json)")
            // The job is done with them, and its adapter has no others.
            let ordered = try await ask("/v1/training-jobs", nil)
            let done = try await runner.finish(try #require(ordered.json["job"]?.stringValue, "\(ordered.json)"))
            let manifest = try await runner.call("GET", "/v1/adapters/artefacts/" + (try #require(done["adapter"]?.stringValue))).json
            let file = try #require(manifest["files"]?.arrayValue?.first { $0["path"] == "adapter_config.json" }?["sha256"]?.stringValue)
            let written = try await runner.call("GET", "/v1/adapters/artefacts/" + file).json["target_modules"]?.arrayValue
            #expect(Set(written ?? []) == Set(taken))
        }
    }

    /// Another runner, or this one on a new disk, finds what it gives answers their rows with among the rows of the adapter's job.
    @Test func anotherRunnerGivesAnAdaptersAnswersTheirRows() async throws {
        try await withRunner { runner in
            let job = try await runner.request(["epochs": 2, "rank": 2, "holdout": 0, "maximum_tokens": 32, "targets": ["q_proj"]])
            let name = try #require(try await runner.finish(job)["adapter"]?.stringValue), adapter = try #require(Digest(prefixed: name))
            let answered = try await runner.ask([("openledger_adapter", .string(name))]).end["openledger_row"]
            let token = try runner.token()
            let peers = Peers(transport: runner.house.transport, addresses: [.training: "http://house"]) { _ in token }
            let elsewhere = try await ModelLibrary.open(
                Configuration(["OPENLEDGER_RUNNER_MODELS": "tiny=\(runner.base)"]), folder: runner.base + "/elsewhere", peers: peers,
                pool: try ComputePool(threads: 1), logger: .silent)
            let model = try #require(elsewhere.models["tiny"])
            let factors = try #require(try await elsewhere.factors(of: adapter, on: model))
            let row = try #require(answered?.stringValue)
            let made = try InfluenceRow(bytes: try await runner.call("GET", "/v1/adapters/artefacts/" + row).bytes)
            #expect(made.factors == factors.digest)
            #expect(try await runner.call("GET", "/v1/adapters/artefacts/\(row)/attribution").status == 404)
        }
    }

    /// More attribution rows than can be kept are refused before anybody works on them.
    @Test func moreAttributionRowsThanAreTakenAreRefusedAtTheOrder() async throws {
        try await withRunner(settings: ["OPENLEDGER_RUNNER_ROWS": "1MiB"]) { runner in
            _ = try await runner.request(["epochs": 1, "rank": 1, "targets": ["q_proj"], "maximum_tokens": 32])
            let body: JSONValue = [
                "base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]], "settings": ["rank": 256, "maximum_tokens": 32],
            ]
            let refused = try await runner.call("POST", "/v1/training-jobs", body)
            #expect(refused.status == 422)
            #expect(refused.json["detail"]?.stringValue?.contains("MiB of attribution rows") == true)
        }
    }

    @Test func noRowIsAFailureThatSaysSoOneIsEnoughAndALongOneIsCut() async throws {
        try await withRunner { runner in
            let settings: JSONValue = ["epochs": 2, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 32]
            func end(_ rows: [JSONValue]) async throws -> JSONValue {
                runner.give(rows)
                let job = try await runner.request(settings)
                var view: JSONValue = .null
                try await eventually("the job is over", timeout: .seconds(120)) {
                    view = try await runner.show(job)
                    return ["succeeded", "failed"].contains(view["status"]?.stringValue)
                }
                return view
            }
            let takenBack: JSONValue = ["item": "it_0", "owner": "carl"]
            for rows: [JSONValue] in [[], [takenBack]] {
                let empty = try await end(rows)
                #expect(empty["status"] == "failed" && empty["reason"] == "the snapshots have no row to learn from")
            }
            #expect(try await end([runner.rows[0]])["status"] == "succeeded")
            let long = String(repeating: "The tides move the price of the pool. ", count: 40)
            let content: JSONValue = ["prompt": .string(long), "completion": .string(long)]
            let row: JSONValue = ["item": "it_0", "owner": "carl", "content": content]
            let cut = try await end([row])
            #expect(cut["status"] == "succeeded")
            let job = try #require(cut["job"]?.stringValue)
            let record = try await runner.call("GET", "/v1/training-jobs/\(job)/record").json["record"]
            #expect(record?["cut"] == 1 && record?["rows"] == 1)
        }
    }
}
