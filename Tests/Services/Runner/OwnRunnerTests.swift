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
        _ runner: RunnerHouse, _ who: String, kernels: JSONValue? = nil, functions: Digest? = nil,
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
        if let functions { record["libm_digest"] = .digest(functions) }
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

    /// Where the system's library of functions rounds otherwise, other bytes are no lie: the work is measured then. What is worth nothing
    /// gets by with it no more than another engine's.
    @Test(arguments: [true, false]) func bytesOfAnotherLibraryOfFunctionsAreMeasured(_ isHonest: Bool) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            _ = try await runner.request(settings)
            try await runner.join("olaf")
            let order = try await work(runner, "olaf", functions: SHA256.hash(utf8: "another library")) { made in
                // The same numbers in other bytes, or none at all.
                if isHonest { return (try changed(made.adapter), made.rows) }
                let files = made.adapter.files.map {
                    ($0.path, $0.path == "adapter_model.safetensors" ? [UInt8](repeating: 0, count: 64) : $0.bytes)
                }
                return (try Artefact(files: files), made.rows)
            }
            try await withHouse(runner) {
                let done = try await runner.finish(order.job)
                #expect(
                    done["checked"]?["method"] == "measure" && done["checked"]?["agrees"] == .bool(isHonest), "\(done["checked"] ?? .null)")
                #expect(done["runner"] == .string(isHonest ? "olaf" : "runner"))
            }
        }
    }

    @Test func workOfAnotherLibraryThatComesOutTheSameIsRepeated() async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            _ = try await runner.request(settings)
            try await runner.join("olga")
            let order = try await work(runner, "olga", functions: SHA256.hash(utf8: "another library"))
            try await withHouse(runner) {
                let done = try await runner.finish(order.job)
                #expect(done["runner"] == "olga" && done["checked"]?["agrees"] == true && done["checked"]?["method"] == "repeat")
            }
        }
    }

    /// What PEFT makes is measured, not repeated: an honest runner of its kind is paid, whatever the job asks for.
    @Test(
        .enabled(if: TestPython.torch.has("peft"), "needs OPENLEDGER_TEST_TORCH, a Python with torch, transformers and peft"),
        arguments: [
            ["epochs": 10, "learning_rate": 4_000, "batch": 1, "rank": 2, "seed": 7],
            ["epochs": 60, "learning_rate": 4_000, "batch": 1, "rank": 8, "seed": 11],
            ["epochs": 20, "learning_rate": 4_000, "batch": 2, "rank": 4, "seed": 5],
        ] as [JSONValue])
    func honestWorkOfPEFTIsMeasuredAndPaid(_ wanted: JSONValue) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            var all = settings.objectValue ?? JSONObject()
            for member in try #require(wanted.objectValue).members { all[member.key] = member.value }
            let job = try await runner.request(.object(all))
            try await runner.join("petra", engine: "peft/1", features: ["attribution-rows"])
            try await runner.house.withSocket { url in
                let token = try runner.house.token("petra", scopes: [])
                let result = try await OSThread.run(name: "runner") {
                    try TestPython.torch.run(
                        [runner.root + "/Services/RunnerPEFT/runner.py", "--jobs", "1", "--join"],
                        environment: [
                            "OPENLEDGER_URL": url, "OPENLEDGER_TOKEN": token, "OPENLEDGER_RUNNER_DEVICE": "cpu",
                            "OPENLEDGER_RUNNER_MODELS": "tiny=\(runner.base)", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1",
                            "OMP_NUM_THREADS": "1",
                        ])
                }
                try #require(result.status == 0, "\(result.output)")
            }
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["runner"] == "petra" && done["checked"]?["agrees"] == true, "\(done["checked"] ?? .null)")
                #expect(done["checked"]?["method"] == "measure", "\(done["checked"] ?? .null)")
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
        case honest, honestRows, noAdapter, uselessWithAClaim, otherNumbers, otherFactors
        case oneStep, otherCanaries, nothingForCanaries, smallEigenvalues, thePointTwice, stretchedRows
    }

    /// What another engine made is measured: an adapter that gains nothing, or is none, is not taken whatever is claimed of it, nor are rows
    /// that the factors beside them don't give.
    @Test(arguments: Work.allCases) func whatAnotherEngineMadeIsMeasured(_ work: Work) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            let hasRows = ![.honest, .noAdapter, .uselessWithAClaim, .oneStep].contains(work)
            try await runner.join("paul", engine: "peft/9", features: hasRows ? TrainingDesk.features : [])
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
                case .oneStep: try TrainingPlan.artefact(of: try await oneStep(tuning), job: job, base: model, snapshots: order.snapshots)
                default: made.adapter
                }
            let rows = hasRows ? try await Self.rows(made, tuning, work) : nil
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
                let isOfLoss = [.noAdapter, .uselessWithAClaim, .oneStep].contains(work)
                #expect(isHonest || done["checked"]?["reason"] == (isOfLoss ? "loss" : "rows"))
            }
        }
    }

    /// An adapter that learned for one step of the job's, and gained something.
    private func oneStep(_ tuning: FineTuning) async throws -> Adapter {
        let model = try tuning.model()
        var plan = try TrainingPlan(tuning.order.settings)
        let rows = try await tuning.rows(plan, model).training.map(\.example)
        (plan.options.steps, plan.options.schedule, plan.options.learningRate) = (1, .constant, 0.001)
        let adapter = try await plan.trainer(on: model, pool: tuning.pool).train(rows).adapter
        let (base, loss) = (
            try await model.model.evaluate(rows, pool: tuning.pool).loss,
            try await model.model.evaluate(rows, adapter: adapter, pool: tuning.pool).loss
        )
        try #require(loss < base - 1e-6, "\(base) \(loss)")
        return adapter
    }

    /// The attribution rows as another engine hands them in, changed as the work says.
    private static func rows(_ made: FineTuning.Made, _ tuning: FineTuning, _ work: Work) async throws -> Artefact {
        var factors = made.factors
        if work == .smallEigenvalues { factors = try lessened(factors) }
        if work == .thePointTwice {
            let last = try #require(factors.checkpoints.last)
            factors = InfluenceFactors(model: factors.model, checkpoints: [last, last], options: factors.options)
        }
        let model = try tuning.model()
        let own = try await tuning.rows(TrainingPlan(tuning.order.settings), model)
        let canaries = AttributionRows(
            job: work == .otherCanaries ? "another" : tuning.order.job, model: model, rows: own, pool: tuning.pool, memoryLimit: 1 << 40
        ).canaries
        var all = try await factors.rows(own.training.map(\.example) + canaries, role: .training, pool: tuning.pool)
        var members: [[String: JSONValue]] = own.training.map {
            ["item": .string($0.item), "owner": .string($0.owner), "datanet": .string($0.datanet)]
        }
        members += canaries.indices.map { ["item": .string(AttributionRows.canary($0))] }
        switch work {
        // The same direction, and twice the pay.
        case .otherNumbers: all = all.map { InfluenceRow(scaling: $0, by: 2) }
        // Each within what another order of sums explains, if nobody looks at their lengths.
        case .stretchedRows: all = all.map { InfluenceRow(scaling: $0, by: 1.05) }
        case .nothingForCanaries: for number in own.training.count..<all.count { all[number] = InfluenceRow(scaling: all[number], by: 0) }
        default: break
        }
        var files = RowFiles(), index: [JSONValue] = []
        for (row, own) in zip(all, members) {
            let place: [String: JSONValue] = ["offset": .count(files.count), "length": .count(row.bytes.count)]
            index.append(.object(JSONObject((own.merging(place) { first, _ in first }).map { ($0.key, $0.value) })))
            files.add(row.bytes)
        }
        let table = try JSON.canonical([
            "factors": .digest(factors.digest), "checkpoints": .count(factors.points), "rows": .array(index),
        ])
        return try Artefact(files: files.files + FactorFiles.pieces(try factors.file()) + [("rows.json", table)])
    }

    /// Factors whose eigenvalues are less than they are in one place of each tensor, where the rows of one contributor stand out.
    private static func lessened(_ factors: InfluenceFactors) throws -> InfluenceFactors {
        let checkpoints = factors.checkpoints.map { checkpoint in
            InfluenceFactors.Checkpoint(
                adapter: checkpoint.adapter,
                tensors: checkpoint.tensors.map { tensor in
                    var values = tensor.eigenvalues.values
                    if let top = values.indices.max(by: { values[$0] < values[$1] }) { values[top] = 0 }
                    return TensorCurvature(
                        rows: tensor.rows, columns: tensor.columns, left: tensor.left, right: tensor.right, eigenvalues: FloatBuffer(values)
                    )
                })
        }
        return InfluenceFactors(model: factors.model, checkpoints: checkpoints, options: factors.options)
    }
}

extension InfluenceRow {
    fileprivate init(scaling row: InfluenceRow, by factor: Float) {
        var lengths: [Int] = [], numbers: [Float] = [], at = 0
        for (index, length) in row.lengths.enumerated() {
            lengths.append(length)
            numbers += row.values[at..<at + length].map { Float($0) * row.scales[index] * factor }
            at += length
        }
        self.init(numbers, lengths: lengths, role: row.role, factors: row.factors)
    }
}
