import Crypto
import Decisions
import Events
import JSON
import Money
import ServiceTestSupport
import Testing

@testable import TrainingDomain

/// Settings that are left to the house, and a job in the words of other systems.
@Suite struct SettingsTests {
    @Test func autoFitsTheDataAndTheRestStaysAsItWasSet() throws {
        let fields = try JSON.parse(#"{"epochs":"auto","batch":"auto","rank":4,"maximum_tokens":"auto"}"#).object()
        let small = try TrainingSettings(fields, rows: 20, tokens: 2_000)
        #expect(small.epochs == 20 && small.batch == 4 && small.rank == 4 && small.maximumTokens == 256 && small.learningRate == 2_000)
        let large = try TrainingSettings(fields, rows: 10_000, tokens: 500_000)
        #expect(large.epochs == 1 && large.batch == 16 && large.maximumTokens == 128)
        // Whatever the data is, the values are in bounds and a step count is reached that an adapter takes to settle.
        for rows in [1, 7, 63, 64, 500, 1_999, 2_000, 1_000_000] {
            let fitted = TrainingSettings.fitted(rows: rows, tokens: rows * 90)
            #expect(try TrainingSettings(fitted.json.object()) == fitted)
            #expect(fitted.epochs == 20 || rows * fitted.epochs / fitted.batch >= 299)
        }
        #expect(throws: JSONFieldError.self) { try TrainingSettings(JSON.parse(#"{"seed":"auto"}"#).object(), rows: 1, tokens: 1) }
        #expect(throws: JSONFieldError.self) { try TrainingSettings(JSON.parse(#"{"precision":"int4"}"#).object()) }
    }

    @Test func layersMayBeLeftToTheHouse() throws {
        let fields = try JSON.parse(#"{"targets":"auto","rank":"auto"}"#).object()
        #expect(try TrainingSettings(fields, rows: 1, tokens: 1).targets == TrainingSettings.layers)
        #expect(throws: JSONFieldError.self) { try TrainingSettings(JSON.parse(#"{"targets":"all"}"#).object(), rows: 1, tokens: 1) }
    }

    /// A job that takes more than it may is refused with what would help.
    @Test func aJobThatTakesTooMuchIsRefusedByWhatItTakes() throws {
        func taking(_ text: String) throws -> JobTaking { try JobTaking(JSON.parse(text)) }
        func reason(_ taking: JobTaking) throws -> String { "\(try #require(throws: TrainingError.self) { try taking.require() })" }
        let fits = try taking(
            #"{"bytes":4,"limit":4,"rows_bytes":1,"rows_limit":1,"factors_bytes":7,"factors_limit":7,"targets":["q_proj"]}"#)
        #expect(!fits.isTooMuch && fits.targets == ["q_proj"])
        try fits.require()
        let wide = try taking(
            #"{"bytes":4,"limit":4,"rows_bytes":1,"rows_limit":1,"factors_bytes":14495514624,"factors_limit":7247757312,"targets":["q_proj","k_proj","x"]}"#
        )
        #expect(wide.isTooMuch)
        let text = try reason(wide)
        #expect(text.contains("13824 MiB for what measures influence, and a job may take 6912"), "\(text)")
        #expect(text.contains("such as q_proj, k_proj") && !text.contains("x,"))
        #expect(try reason(taking(#"{"bytes":5,"limit":4}"#)).contains("of the runner's memory"))
        let many = try taking(#"{"bytes":4,"limit":4,"rows_bytes":2,"rows_limit":1,"targets":[]}"#)
        #expect(try reason(many).contains("of attribution rows") && reason(many).hasSuffix("or fewer targets"))
        for text in ["{}", #"{"bytes":-1,"limit":4}"#, #"{"bytes":1}"#, "[]"] {
            #expect(throws: JSONFieldError.self) { try taking(text) }
        }
    }

    @Test func settingsKeepTheHashThatTheyHadBeforeThereWasMoreToSet() throws {
        let text = String(decoding: try JSON.canonical(TrainingSettings().json), as: UTF8.self)
        #expect(
            text
                == #"{"alpha":16,"batch":8,"checkpoint_every":50,"epochs":3,"holdout":5,"learning_rate":2000,"maximum_tokens":256,"passages":false,"rank":8,"seed":1,"targets":["q_proj","k_proj","v_proj","o_proj","gate_proj","up_proj","down_proj"],"warmup":10}"#
        )
        var byte = TrainingSettings()
        byte.precision = "int8"
        #expect(try TrainingSettings(byte.json.object()) == byte && byte.needs == ["int8"] && TrainingSettings().needs.isEmpty)
        byte.precision = "nf4"
        #expect(try TrainingSettings(byte.json.object()) == byte && byte.needs == ["nf4"])
    }

    private func job(_ events: [any EventData]) throws -> TrainingJob {
        let digest = SHA256.hash(utf8: "x")
        var state = TrainingState()
        let all: [any EventData] =
            [
                JobRequested(
                    job: "job_1", owner: "ann", base: "tiny",
                    snapshots: [SnapshotReference(datanet: "dn_1", snapshot: "sn_1", number: 2, root: digest)], settings: digest,
                    fee: Amount(5, try Asset("USDC/6")))
            ] + events
        for (index, event) in all.enumerated() { try state.apply(Fact.made(event, index)) }
        return try #require(state.jobs["job_1"])
    }

    @Test func aRunIsToldInOpenLineage() throws {
        let digest = SHA256.hash(utf8: "x")
        func told(_ events: [any EventData]) throws -> [JSONValue] {
            OpenLineage.events(of: try job(events), base: nil, producer: "https://house.example/v1")
        }
        #expect(try told([]).isEmpty)
        let started = JobStarted(job: "job_1", runner: "r", attempt: 1)
        let start = try #require(try told([started]).first)
        #expect(start["eventType"] == "START" && start["job"]?["name"] == "job_1" && start["outputs"]?.arrayValue?.isEmpty == true)
        #expect(start["inputs"]?.arrayValue?.first?["name"] == "datanet/dn_1/snapshot/2")
        let identifier = try #require(start["run"]?["runId"]?.stringValue)
        #expect(identifier.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        let done = JobCompleted(
            job: "job_1", owner: "ann", base: "tiny", snapshots: [], adapter: digest, shares: .entries([]), tokens: 1,
            fee: Amount(5, try Asset("USDC/6")), runner: "r", record: digest)
        let all = try told([started, done])
        #expect(
            all.compactMap { $0["eventType"]?.stringValue } == ["START", "COMPLETE"] && all[1]["run"]?["runId"]?.stringValue == identifier)
        #expect(all[1]["outputs"]?.arrayValue?.first?["name"] == .string("adapter/" + digest.prefixed))
        let failed = try told([started, JobFailed(job: "job_1", reason: "no rows")])
        #expect(failed.last?["eventType"] == "FAIL" && failed.last?["run"]?["facets"]?["errorMessage"]?["message"] == "no rows")
        #expect(try told([started, JobCancelled(job: "job_1")]).last?["eventType"] == "ABORT")
    }

    @Test func aManifestWaitsForItsQueueAndAsksForWhatTheJobTakes() throws {
        var settings = TrainingSettings()
        let memory = ClusterManifest.memory(parameters: 1_000_000_000, settings: settings)
        settings.precision = "int8"
        // Over a base in fewer bits the one in 32 is there too.
        #expect(ClusterManifest.memory(parameters: 1_000_000_000, settings: settings) == memory && memory > 8_000_000_000)
        var manifest = ClusterManifest(
            job: "job_A1", base: "tiny", image: "registry.example/runner:1", queue: "gpu", url: "http://house:7404", gpus: 1,
            memory: 4 << 30)
        let json = manifest.json
        #expect(json["apiVersion"] == "batch/v1" && json["kind"] == "Job" && json["metadata"]?["name"] == "openledger-job-a1")
        #expect(json["metadata"]?["labels"]?["kueue.x-k8s.io/queue-name"] == "gpu" && json["spec"]?["suspend"] == true)
        let container = try #require(json["spec"]?["template"]?["spec"]?["containers"]?.arrayValue?.first)
        #expect(container["image"] == "registry.example/runner:1" && container["resources"]?["limits"]?["nvidia.com/gpu"] == "1")
        #expect(container["resources"]?["limits"]?["memory"] == "4096Mi" && container["args"] == ["--jobs", "1"])
        manifest.queue = nil
        manifest.gpus = 0
        #expect(manifest.json["spec"]?["suspend"] == false)
        let plain = manifest.json["spec"]?["template"]?["spec"]?["containers"]?.arrayValue?.first
        #expect(plain?["resources"]?["limits"]?["nvidia.com/gpu"] == nil && plain != nil)
    }

    @Test func heldOutItemsAreTheSameEverywhere() {
        let items = (0..<2_000).map { "it_\($0)" }
        let held = items.count { HeldOut.has($0, share: 20) }
        #expect((300...500).contains(held) && !items.contains { HeldOut.has($0, share: 0) })
        #expect(items.allSatisfy { !HeldOut.has($0, share: 5) || HeldOut.has($0, share: 20) })
    }
}
