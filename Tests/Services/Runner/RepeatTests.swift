import Events
import Crypto
import Events
import Foundation
import JSON
import ServiceTestSupport
import TestSupport
import Testing
import Threads

@testable import Engine
@testable import RunnerService

/// A job that is halted and goes on, its repeat, and what PEFT makes of its adapter.
@Suite struct RepeatTests {
    private let settings: JSONValue = [
        "epochs": 100, "learning_rate": 4_000, "batch": 1, "rank": 2, "seed": 7, "alpha": 4, "targets": ["q_proj", "v_proj", "down_proj"],
        "warmup": 0, "holdout": 0, "maximum_tokens": 64, "checkpoint_every": 1_000,
    ]

    @Test func aHaltedJobGoesOnToTheBytesOfItsRepeat() async throws {
        try await withRunner { runner in
            var (job, step) = ("", Int64(600))
            // One that was through before it heard that it should halt is left as it is.
            for _ in 0..<8 where step == 600 {
                job = try await runner.request(settings)
                // Without a pause between: it takes a second at most.
                let end = ContinuousClock.now + .seconds(180)
                while ContinuousClock.now < end, try await runner.show(job)["progress"]?["step"]?.intValue ?? 0 == 0 {}
                guard try await runner.call("POST", "/v1/training-jobs/\(job)/pause").json["status"] == "paused" else { continue }
                try await eventually("it has left a checkpoint", timeout: .seconds(180)) { try await runner.show(job)["checkpoint"] != nil }
                let halted = try await runner.show(job)
                step = try #require(halted["checkpoint"]?.intValue)
                #expect(halted["status"] == "paused" && step > 0)
            }
            #expect(step < 600)
            // The runner may have it before the answer is written.
            let resumed = try await runner.call("POST", "/v1/training-jobs/\(job)/resume").json["status"]
            #expect(resumed == "queued" || resumed == "running")
            let done = try await runner.finish(job)
            #expect(done["attempt"] == 2)

            let read = try await runner.call("GET", "/v1/training-jobs/\(job)/record").json
            let record = try #require(read["record"])
            #expect(record["steps"] == 600 && record["engine"] == .string(TrainingPlan.engine))
            #expect(record["libm"] == .string(MathLibrary.name) && record["libm_digest"] == .digest(MathLibrary.digest))
            let model = try ServedModel(name: "tiny", folder: runner.base, pool: try ComputePool(threads: 1))
            func repeated(_ change: (inout Retraining.Job) -> Void = { _ in }, rows: [JSONValue]? = nil) async throws -> Retraining.Outcome
            {
                var order = Retraining.Job(
                    id: job, base: "tiny", baseArtefact: model.artefact, snapshots: [runner.reference],
                    settings: try #require(read["settings"]), record: record)
                change(&order)
                return try await Retraining(order, base: runner.base).run(rows: [rows ?? runner.rows])
            }
            let same = try await repeated()
            #expect(.string(same.adapter.prefixed) == done["adapter"] && same.steps == 600 && same.rows == 6)
            #expect(.int(Int64(same.finalLossMicros)) == record["final_loss_micros"])
            let onTheLog = try await runner.completed(try #require(done["adapter"]?.stringValue)).rows
            #expect(onTheLog != nil && same.attribution == onTheLog, "the rows that decide whom answers pay")
            // Items of other owners make the same adapter, and other rows.
            let renamed = runner.rows.map { row -> JSONValue in
                var row = row.objectValue ?? JSONObject()
                row["owner"] = "eve"
                return .object(row)
            }
            let others = try await repeated(rows: renamed)
            #expect(others.adapter == same.adapter && others.attribution != same.attribution)
            // Another seed, row or base is another adapter, or none.
            var other = settings.objectValue ?? JSONObject()
            other["seed"] = 8
            let reseeded = JSONValue.object(other)
            #expect(try await repeated({ $0.settings = reseeded }).adapter != same.adapter)
            #expect(try await repeated(rows: runner.rows.dropLast()).adapter != same.adapter)
            await #expect(throws: Retraining.Refusal.self) { try await repeated({ $0.baseArtefact = SHA256.hash(utf8: "other") }) }
            await #expect(throws: Retraining.Refusal.otherEngine("peft/1")) { try await repeated({ $0.record = ["engine": "peft/1"] }) }
            await #expect(throws: Retraining.Refusal.noKernels("abacus")) {
                try await repeated({ $0.record = ["kernel_level": "abacus", "threads": 1] })
            }
        }
    }

    /// An adapter's files in a folder of their own.
    private func files(of adapter: String, _ runner: RunnerHouse) async throws -> TemporaryFolder {
        let folder = try TemporaryFolder("published")
        let manifest = try await runner.call("GET", "/v1/adapters/artefacts/" + adapter).json
        for file in try #require(manifest["files"]?.arrayValue) {
            let (name, digest) = (try #require(file["path"]?.stringValue), try #require(file["sha256"]?.stringValue))
            let bytes = try await runner.call("GET", "/v1/adapters/artefacts/" + digest).bytes
            try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
        }
        return folder
    }

    @Test(.enabled(if: TestPython.torch.has("peft"), "needs OPENLEDGER_TEST_TORCH, a Python with torch, transformers and peft"))
    func aPublishedAdapterLoadsInPEFTWithEqualLoss() async throws {
        try await withRunner { runner in
            let job = try await runner.request(settings)
            let done = try await runner.finish(job)
            let folder = try await files(of: try #require(done["adapter"]?.stringValue), runner)
            let pool = try ComputePool(threads: 1)
            let model = try ServedModel(name: "tiny", folder: runner.base, pool: pool)
            var rows = JobRows(model: model, maximum: 64, held: 0, learnsPassages: false)
            for row in runner.rows { try rows.add(row, datanet: "dn_1") }
            let examples = rows.training.map(\.example)
            let adapter = try Adapter(folder: folder.path, for: model.model.configuration)
            let plain = try await model.model.evaluate(examples, pool: pool).rowLosses
            let adapted = try await model.model.evaluate(examples, adapter: adapter, pool: pool).rowLosses
            let told = examples.indices.map { index -> JSONValue in
                [
                    "tokens": .array(examples[index].tokens.map { .int(Int64($0)) }), "from": .int(Int64(examples[index].targets[0])),
                    "base": .double(plain[index]), "adapter": .double(adapted[index]),
                ]
            }
            try folder.write(String(decoding: JSON.write(.array(told)), as: UTF8.self), to: "rows.json")
            let script = runner.root + "/Tests/Interop/Engine/torch_agreement.py"
            let result = try TestPython.torch.run([script, runner.base, folder.path, folder.path("rows.json")])
            #expect(result.status == 0, "\(result.output)")
        }
    }

    /// The runner of Services/RunnerPEFT does a job through the same protocol, on the CPU.
    @Test(.enabled(if: TestPython.torch.has("peft"), "needs OPENLEDGER_TEST_TORCH, a Python with torch, transformers and peft"))
    func thePEFTRunnerDoesTheSameJobThroughTheSameProtocol() async throws {
        try await withRunner(works: false) { runner in
            try await runner.house.withSocket { url in
                let token = try runner.token()
                var few = settings.objectValue ?? JSONObject()
                few["epochs"] = 10
                few["checkpoint_every"] = 20
                let job = try await runner.request(.object(few))
                let result = try await OSThread.run(name: "runner") {
                    try TestPython.torch.run(
                        [runner.root + "/Services/RunnerPEFT/runner.py", "--jobs", "1"],
                        environment: [
                            "OPENLEDGER_URL": url, "OPENLEDGER_TOKEN": token, "OPENLEDGER_RUNNER_DEVICE": "cpu",
                            "OPENLEDGER_RUNNER_MODELS": "tiny=\(runner.base)", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1",
                            "OMP_NUM_THREADS": "1",
                        ])
                }
                let done = try await runner.show(job)
                try #require(result.status == 0 && done["status"] == "succeeded", "\(result.output) \(done)")
                let record = try #require(try await runner.call("GET", "/v1/training-jobs/\(job)/record").json["record"])
                #expect(record["steps"] == 60 && record["rows"] == 6 && record["engine"]?.stringValue?.hasPrefix("peft/") == true)
                #expect(done["checkpoint"] == 40)
                let name = try #require(done["adapter"]?.stringValue)
                let answer = try await runner.ask([("openledger_adapter", .string(name))])
                #expect(answer.isDone && (answer.end["usage"]?["completion_tokens"]?.intValue ?? 0) > 0)
                // It measured its curvature, and names it: the answer has its attribution row here too.
                let answered = try #require(answer.end["openledger_row"]?.stringValue)
                let row = try InfluenceRow(bytes: try await runner.call("GET", "/v1/adapters/artefacts/" + answered).bytes)
                try await expectRows(of: name, runner, answer: row)
            }
        }
    }

    /// With bitsandbytes the PEFT runner learns over a base in eight or four bits, and measures influence on the plain one.
    @Test(
        .enabled(if: TestPython.torch.has("bitsandbytes"), "needs OPENLEDGER_TEST_TORCH, a Python with torch, PEFT and bitsandbytes"),
        arguments: ["int8", "nf4"])
    func thePEFTRunnerLearnsOverABaseInFewerBits(_ precision: String) async throws {
        try await withRunner(works: false) { runner in
            try await runner.house.withSocket { url in
                let token = try runner.token()
                var few = settings.objectValue ?? JSONObject()
                few["epochs"] = 10
                few["precision"] = .string(precision)
                let job = try await runner.request(.object(few))
                let result = try await OSThread.run(name: "runner") {
                    try TestPython.torch.run(
                        [runner.root + "/Services/RunnerPEFT/runner.py", "--jobs", "1"],
                        environment: [
                            "OPENLEDGER_URL": url, "OPENLEDGER_TOKEN": token, "OPENLEDGER_RUNNER_DEVICE": "cpu",
                            "OPENLEDGER_RUNNER_MODELS": "tiny=\(runner.base)", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1",
                            "OMP_NUM_THREADS": "1",
                        ])
                }
                let done = try await runner.show(job)
                try #require(result.status == 0 && done["status"] == "succeeded", "\(result.output) \(done)")
                let record = try #require(try await runner.call("GET", "/v1/training-jobs/\(job)/record").json["record"])
                #expect(record["precision"] == .string(precision) && record["engine"]?.stringValue?.contains("bitsandbytes/") == true)
                // What it learned is there on the base as it is, too.
                let name = try #require(done["adapter"]?.stringValue), folder = try await files(of: name, runner)
                let own = try await runner.ownRunner("reader").library
                let model = try #require(own.models["tiny"])
                let adapter = try Adapter(folder: folder.path, for: model.model.configuration)
                var rows = JobRows(model: model, maximum: 64, held: 0, learnsPassages: false)
                for row in runner.rows { try rows.add(row, datanet: "dn_1") }
                let examples = rows.training.map(\.example)
                let before = try await model.model.evaluate(examples, pool: own.pool).loss
                let after = try await model.model.evaluate(examples, adapter: adapter, pool: own.pool).loss
                // It gains what the same job gains over whole weights, but for the rounding: gradients went all the way.
                few["precision"] = nil
                let plain = try TrainingPlan(JSONValue.object(few).object()).trainer(on: model, pool: own.pool)
                let reached = try await model.model.evaluate(
                    examples, adapter: try await plain.train(examples).adapter, pool: own.pool
                ).loss
                #expect(before - after > 0.8 * (before - reached), "\(before) \(after) \(reached)")
                let answered = try #require(
                    try await runner.ask([("openledger_adapter", .string(name))]).end["openledger_row"]?.stringValue)
                let row = try InfluenceRow(bytes: try await runner.call("GET", "/v1/adapters/artefacts/" + answered).bytes)
                try await expectRows(of: name, runner, answer: row)
            }
        }
    }

    /// The PEFT runner's attribution rows are those that this engine makes with the same factors, to within their rounding.
    private func expectRows(of adapter: String, _ runner: RunnerHouse, answer: InfluenceRow) async throws {
        let own = try await runner.ownRunner("reader").library
        let folder = try TemporaryFolder("rows")
        let artefact = try #require(try await runner.completed(adapter).rows)
        let manifest = try await runner.call("GET", "/v1/adapters/artefacts/" + artefact.prefixed).json
        var files: [String: [UInt8]] = [:]
        for file in try #require(manifest["files"]?.arrayValue) {
            let digest = try #require(file["sha256"]?.stringValue)
            files[try #require(file["path"]?.stringValue)] = try await runner.call("GET", "/v1/adapters/artefacts/" + digest).bytes
        }
        try Data(try #require(files["factors.safetensors"])).write(to: URL(fileURLWithPath: folder.path("factors")))
        let model = try #require(own.models["tiny"])
        let factors = try InfluenceFactors(path: folder.path("factors"), model: model.model)
        let table = try JSON.parse(try #require(files["rows.json"]))
        #expect(table["factors"] == .string(factors.digest.prefixed) && answer.factors == factors.digest)
        var rows = JobRows(model: model, maximum: 64, held: 0, learnsPassages: false)
        for row in runner.rows { try rows.add(row, datanet: "dn_1") }
        let made = try await factors.rows(rows.training.map(\.example), role: .training, pool: own.pool)
        let all = try #require(table["rows"]?.arrayValue)
        let entries = all.filter { $0["owner"] != nil }
        // Garbage that nobody learned from, for attribution to take off.
        #expect(all.count == 6 + 32 && table["checkpoints"] == 2)
        #expect(all.dropFirst(6).allSatisfy { $0["item"]?.stringValue?.hasPrefix("canary/") == true })
        let bytes = try #require(files["rows.bin"])
        #expect(entries.count == 6 && entries.count == made.count)
        for (entry, ours) in zip(entries, made) {
            let (offset, length) = (Int(entry["offset"]?.intValue ?? 0), Int(entry["length"]?.intValue ?? 0))
            let theirs = try InfluenceRow(bytes: Array(bytes[offset..<offset + length]))
            let (a, b) = (try InfluenceRow.score(training: ours, answer: answer), try InfluenceRow.score(training: theirs, answer: answer))
            #expect(entry["owner"] == "carl" && theirs.factors == ours.factors)
            #expect(abs(a - b) <= 0.02 * max(abs(a), abs(b)) + 1e-6, "\(a) and \(b)")
        }
    }
}
