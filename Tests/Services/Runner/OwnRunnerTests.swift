import Synchronization
import Crypto
import Events
import Foundation
import JSON
import ServiceTestSupport
import Telemetry
import TestSupport
import Testing
import Threads

@testable import Engine
@testable import RunnerService

/// Somebody's own runner with this engine: its work is done again by the house, bit for bit.
@Suite struct OwnRunnerTests {
    private let settings: JSONValue = [
        "epochs": 2, "learning_rate": 10_000, "rank": 2, "batch": 2, "warmup": 0, "holdout": 0, "maximum_tokens": 64,
        "targets": ["q_proj", "down_proj"],
    ]

    /// Leases and does a job as somebody of that name; `lie` changes what is handed in.
    private func work(
        _ runner: RunnerHouse, _ who: String, kernels: JSONValue? = nil,
        lie: (FineTuning.Made) throws -> (adapter: Artefact, rows: Artefact) = { ($0.adapter, $0.rows) }
    ) async throws -> TrainingDesk.Order {
        let (desk, library, pool) = try await runner.ownRunner(who)
        let order = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-" + who))
        let tuning = FineTuning(order: order, desk: desk, library: library, pool: pool, logger: .silent)
        let made = try await tuning.make(Progress(order: order, desk: desk))
        let told = try lie(made)
        try await desk.upload(told.adapter)
        try await desk.upload(told.rows)
        var record = made.record.objectValue ?? JSONObject()
        if let kernels { record["kernel_level"] = kernels }
        try await desk.complete(
            order, adapter: told.adapter.digest, rows: told.rows.digest, tokens: made.tokens, record: .object(record))
        return order
    }

    private func changed(_ artefact: Artefact) throws -> Artefact {
        try Artefact(
            files: artefact.files.map { ($0.path, $0.path == "openledger.json" || $0.path == "rows.json" ? $0.bytes + [0x20] : $0.bytes) })
    }

    /// Lets the house's own runner work while the body runs.
    private func withHouse(_ runner: RunnerHouse, _ body: () async throws -> Void) async throws {
        let service = try runner.embedded()
        let house = Task { await service.run() }
        do { try await body() } catch {
            house.cancel()
            await house.value
            throw error
        }
        house.cancel()
        await house.value
    }

    @Test(arguments: ["adapter", "rows", "kernels"]) func aLieIsFoundAndTheHouseDoesTheJob(_ part: String) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("lara")
            // Kernels that nobody has get nobody out of being repeated.
            let order = try await work(runner, "lara", kernels: part == "kernels" ? "abacus" : nil) { made in
                part != "rows" ? (try changed(made.adapter), made.rows) : (made.adapter, try changed(made.rows))
            }
            #expect(order.job == job && order.attempt == 1)
            #expect(try await runner.show(job)["status"] == "checking")
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["checked"]?["agrees"] == false && done["checked"]?["method"] == "repeat")
                #expect(done["checked"]?["runner"] == "lara" && done["runner"] == "runner" && done["attempt"] == 2)
            }
        }
    }

    @Test func honestWorkIsDoneAgainToTheSameBytesAndPaid() async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("hana")
            _ = try await work(runner, "hana")
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["runner"] == "hana" && done["checked"]?["agrees"] == true && done["checked"]?["method"] == "repeat")
            }
        }
    }

    /// A run that was interrupted past half way has the rows of one that was not: the adapter at half way is kept in the checkpoint.
    @Test func workThatWentOnPastHalfWayIsDoneAgainToTheSameBytes() async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("hana")
            let (desk, library, pool) = try await runner.ownRunner("hana")
            let order = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-first"))
            let tuning = FineTuning(order: order, desk: desk, library: library, pool: pool, logger: .silent)
            let model = try tuning.model(), plan = try TrainingPlan(order.settings)
            let rows = try await tuning.rows(plan, model).training.map(\.example)
            let (_, outcome) = try await plan.trainer(on: model, pool: pool).train(rows) { event in
                if case .step(let step) = event, step.step == 5 { return .pause }
                return .proceed
            }
            #expect(outcome.end == .paused && outcome.steps == 5, "of 6")
            let progress = Progress(order: order, desk: desk)
            try await progress.keep(try #require(outcome.checkpoint), [("step", 5)])
            for verb in ["pause", "resume"] {
                #expect(try await runner.call("POST", "/v1/training-jobs/\(job)/\(verb)").status == 200)
            }
            let again = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-second"))
            #expect(again.attempt == 2 && again.checkpoint != nil)
            try await FineTuning(order: again, desk: desk, library: library, pool: pool, logger: .silent).run()
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["runner"] == "hana" && done["checked"]?["agrees"] == true && done["checked"]?["method"] == "repeat")
            }
        }
    }

    @Test func aCheckpointWhoseUploadFailedIsLeftLater() async throws {
        try await withRunner(works: false) { runner in
            let job = try await runner.request(settings)
            try await runner.join("hana")
            let (desk, _, _) = try await runner.ownRunner("hana", failing: 3)
            let order = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-hana"))
            let progress = Progress(order: order, desk: desk)
            _ = progress.hear(
                .checkpoint(
                    TrainingCheckpoint(
                        step: 3, tokens: 9, identity: "one", lastLoss: 1, parameters: [1], firstMoments: [0], secondMoments: [0], best: nil,
                        bestStep: 0, half: nil, evaluations: [], stale: 0)))
            try await progress.whileTold {
                try await eventually("the checkpoint is left", timeout: .seconds(60)) { try await runner.show(job)["checkpoint"] == 3 }
            }
        }
    }

    /// What another engine's runner may hand in.
    enum Work: String, Sendable, CaseIterable {
        case honest, honestRows, noAdapter, uselessWithAClaim, othersRows, otherNumbers, otherFactors
    }

    /// What another engine made is measured: an adapter that gains nothing, or is none, is not taken whatever is claimed of it, nor are rows
    /// that the factors beside them don't give.
    @Test(arguments: Work.allCases) func whatAnotherEngineMadeIsMeasured(_ work: Work) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("paul", engine: "peft/9")
            let (desk, library, pool) = try await runner.ownRunner("paul")
            let order = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-paul"))
            let tuning = FineTuning(order: order, desk: desk, library: library, pool: pool, logger: .silent)
            let made = try await tuning.make(Progress(order: order, desk: desk))
            let model = try tuning.model()
            // What was never trained says what the base says.
            let fresh = try Adapter.initial(TrainingPlan(order.settings).lora, for: model.model.configuration, seed: 1)
            let useless = try TrainingPlan.artefact(of: fresh, job: job, base: model, snapshots: order.snapshots)
            let adapter =
                switch work {
                case .noAdapter: try Artefact(files: [("adapter_config.json", Array("{}".utf8))])
                case .uselessWithAClaim, .otherFactors: useless
                default: made.adapter
                }
            let rows = [.honest, .noAdapter, .uselessWithAClaim].contains(work) ? nil : try Self.rows(made, runner.base, work)
            try await desk.upload(adapter)
            if let rows { try await desk.upload(rows) }
            let claims: JSONValue = work == .uselessWithAClaim ? [["step": 6, "holdout_loss_micros": 1_000_000_000_000]] : []
            try await desk.complete(
                order, adapter: adapter.digest, rows: rows?.digest, tokens: made.tokens,
                record: ["engine": "peft/9", "evaluations": claims])
            let isHonest = work == .honest || work == .honestRows
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["checked"]?["agrees"] == .bool(isHonest) && done["checked"]?["method"] == "measure")
                #expect(done["runner"] == (isHonest ? "paul" : "runner"))
                let isOfRows = work == .othersRows || work == .otherNumbers || work == .otherFactors
                #expect(isHonest || done["checked"]?["reason"] == (isOfRows ? "rows" : "loss"))
            }
        }
    }

    /// The attribution rows as another engine hands them in, with their factors; changed as the work says.
    private static func rows(_ made: FineTuning.Made, _ folder: String, _ work: Work) throws -> Artefact {
        let path = folder + "/factors.of.\(work.rawValue)"
        try made.factors.write(to: path)
        var files = made.rows.files.map { ($0.path, $0.bytes) }
        files.append(("factors.safetensors", [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))))
        let place = try #require(files.firstIndex { $0.0 == "rows.json" }), numbers = try #require(files.firstIndex { $0.0 == "rows.bin" })
        if work == .othersRows {
            let text = String(decoding: files[place].1, as: UTF8.self)
            files[place].1 = Array(text.replacingOccurrences(of: "\"owner\":\"carl\"", with: "\"owner\":\"paul\"").utf8)
        }
        if work == .otherNumbers {
            // Twice what they are: the same direction, and twice the pay.
            for entry in try #require(try JSON.parse(files[place].1)["rows"]?.arrayValue) {
                let start = Int(try #require(entry["offset"]?.intValue)), length = Int(try #require(entry["length"]?.intValue))
                let row = try InfluenceRow(bytes: Array(files[numbers].1[start..<start + length]))
                let doubled = InfluenceRow(doubling: row)
                files[numbers].1.replaceSubrange(start..<start + length, with: doubled.bytes)
            }
        }
        return try Artefact(files: files)
    }
}

extension InfluenceRow {
    fileprivate init(doubling row: InfluenceRow) {
        var lengths: [Int] = [], numbers: [Float] = [], at = 0
        for (index, length) in row.lengths.enumerated() {
            lengths.append(length)
            numbers += row.values[at..<at + length].map { Float($0) * row.scales[index] * 2 }
            at += length
        }
        self.init(numbers, lengths: lengths, role: row.role, factors: row.factors)
    }
}
