internal import Crypto
internal import Engine
internal import Events
internal import Foundation
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Threads

/// One fine-tuning: rows, training (the adapter at half way is the second point at which influence is measured), the items' attribution
/// rows, and the adapter handed in.
struct FineTuning: Sendable {
    let order: TrainingDesk.Order
    let desk: TrainingDesk
    let library: ModelLibrary
    var pool: ComputePool
    let logger: Logger

    /// All that a job makes.
    struct Made: Sendable {
        let adapter: Artefact
        let rows: Artefact
        let factors: InfluenceFactors
        let record: JSONValue
        let tokens: Int
    }

    func run() async throws {
        let progress = Progress(order: order, desk: desk)
        // The lease is kept until all is handed in: large rows take their time to send.
        try await progress.whileTold {
            let made = try await work(progress)
            try await desk.patiently(order) { try await desk.upload(made.adapter) }
            try await desk.patiently(order) { try await desk.upload(made.rows) }
            try await library.keep(made.factors, of: made.adapter.digest)
            try await desk.patiently(order) {
                try await desk.complete(
                    order, adapter: made.adapter.digest, rows: made.rows.digest, tokens: made.tokens, record: made.record)
            }
        }
    }

    /// The job's base model, if it is the one that the job is on.
    func model() throws -> ServedModel {
        guard let model = library.models[order.base] else { throw RunnerError.unknownBase(order.base) }
        if let wanted = order.baseArtefact, wanted != model.artefact {
            throw RunnerError.otherBase(order.base, here: model.artefact, wanted: wanted)
        }
        return model
    }

    /// Does the job, telling how far it is all the while, and hands nothing in.
    func make(_ progress: Progress) async throws -> Made { try await progress.whileTold { try await work(progress) } }

    /// Learns the job's rows from the beginning, and nothing more: what another's adapter is measured beside.
    func learned(_ plan: TrainingPlan, _ rows: JobRows, _ model: ServedModel, _ progress: Progress) async throws -> Adapter {
        guard !rows.training.isEmpty else { throw RunnerError.noRows }
        var plan = plan
        (plan.options.keepsHalf, plan.options.checkpointEvery, plan.options.memoryLimit) = (false, 0, library.memoryLimit)
        let trainer = try plan.trainer(on: model, pool: pool)
        do {
            return try await trainer.train(rows.training.map(\.example), holdOut: rows.holdout.map(\.example)) { progress.hear($0) }.adapter
        } catch EngineError.cancelled { throw RunnerError.lost }
    }

    private func work(_ progress: Progress) async throws -> Made {
        let model = try model()
        var plan = try TrainingPlan(order.settings)
        if let name = plan.foreignPrecision { throw RunnerError.otherPrecision(name) }
        let rows = try await rows(plan, model)
        guard !rows.training.isEmpty else { throw RunnerError.noRows }
        let longest = (rows.training + rows.holdout).map(\.example.tokens.count).max() ?? 0
        let size = JobSize(model: model.model, rows: rows.training.count, longest: longest, threads: pool.threads)
        try size.require(plan, within: library.jobLimits)
        plan.options.memoryLimit = library.memoryLimit
        let trainer = try plan.trainer(on: model, pool: pool)
        let (adapter, outcome) = try await train(trainer, rows, progress)
        await progress.tellLast()
        guard outcome.end != .paused else { throw try await halt(progress, outcome.checkpoint) }
        do {
            return try await made(adapter, outcome, rows, model, seed: plan.options.seed, progress)
        } catch EngineError.cancelled { throw try await halt(progress, outcome.checkpoint) }
    }

    /// Trains to the end, or to where the owner halts it.
    private func train(
        _ trainer: LoRATrainer, _ rows: JobRows, _ progress: Progress
    ) async throws -> (adapter: Adapter, outcome: TrainingOutcome) {
        let (examples, holdout) = (rows.training.map(\.example), rows.holdout.map(\.example))
        do {
            do {
                let checkpoint = try await resume()
                return try await trainer.train(examples, holdOut: holdout, resume: checkpoint) { progress.hear($0) }
            } catch EngineError.badCheckpoint(let why) where order.checkpoint != nil {
                // Made by another kind of runner, or before rows were taken back: the job begins anew.
                logger.info("a checkpoint can't be gone on from", ["job": .string(order.job), "reason": .string(why)])
                return try await trainer.train(examples, holdOut: holdout) { progress.hear($0) }
            }
        } catch EngineError.cancelled { throw RunnerError.lost }
    }

    /// What ends a job that may not go on: where its owner halted it, its place is left first.
    private func halt(_ progress: Progress, _ checkpoint: TrainingCheckpoint?) async throws -> RunnerError {
        guard progress.wish == .leaveCheckpoint else { return .lost }
        if let checkpoint {
            do {
                try await desk.patiently(order) { try await progress.keep(checkpoint) }
            } catch {
                // That there is one at this step already is as good.
                guard JobFault.isTaken(error) else { throw error }
            }
        }
        return .halted
    }

    /// The rows of the job's snapshots.
    func rows(_ plan: TrainingPlan, _ model: ServedModel) async throws -> JobRows {
        var rows = plan.rows(for: model)
        for (index, snapshot) in order.snapshots.enumerated() {
            let before = rows
            // Read anew where it was cut off: what came before that is let go.
            rows = try await desk.patiently(order) {
                var read = before
                try await desk.rows(order, snapshot: index) { try read.add($0, datanet: snapshot.datanet) }
                return read
            }
            let told: [(String, JSONValue)] = [("step", 0), ("steps", 0), ("message", .string("rows of \(snapshot.datanet) read"))]
            _ = try await desk.patiently(order) { try await desk.report(order, told) }
        }
        return rows
    }

    /// The checkpoint that an earlier attempt left.
    private func resume() async throws -> TrainingCheckpoint? {
        guard let digest = order.checkpoint else { return nil }
        let fetch = ArtefactFetch(peers: desk.peers, folder: library.folder + "/checkpoints")
        let folder: String
        do { folder = try await desk.patiently(order) { try await fetch.folder(of: digest.prefixed) } } catch {
            throw JobFault.ofCheckpoint(error)
        }
        // It is gone on from once: what a later attempt needs is left anew.
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await OSThread.run(name: "checkpoint") {
            do { return try TrainingCheckpoint(path: folder + "/checkpoint.bin") } catch let error as FormatError {
                throw EngineError.badCheckpoint("\(error)")
            }
        }
    }

    private func made(
        _ adapter: Adapter, _ outcome: TrainingOutcome, _ rows: JobRows, _ model: ServedModel, seed: UInt64, _ progress: Progress
    ) async throws -> Made {
        let artefact = try TrainingPlan.artefact(of: adapter, job: order.job, base: model, snapshots: order.snapshots)
        let rowsOf = AttributionRows(job: order.job, model: model, rows: rows, pool: pool, memoryLimit: library.memoryLimit)
        let points = AttributionRows.points(half: outcome.half, end: adapter)
        let (rowsArtefact, factors) = try await rowsOf.make(at: points) { progress.goesOn }
        func micros(_ value: Float) -> JSONValue { .int(Int64((value * 1_000_000).rounded())) }
        return Made(
            adapter: artefact, rows: rowsArtefact, factors: factors,
            record: [
                "engine": .string(TrainingPlan.engine), "kernel_level": .string(outcome.kernelLevel.rawValue),
                "libm": .string(MathLibrary.name), "libm_digest": .string(MathLibrary.digest.prefixed),
                "threads": .int(Int64(pool.threads)), "seed": .int(Int64(clamping: seed)), "steps": .int(Int64(outcome.steps)),
                "final_loss_micros": micros(outcome.finalLoss), "rows": .int(Int64(rows.training.count)), "cut": .int(Int64(rows.cut)),
                "holdout_rows": .int(Int64(rows.holdout.count)), "canary_rows": .int(Int64(CanaryRows.names * CanaryRows.rowsOfEach)),
                "factors": .string(factors.digest.prefixed),
                "evaluations": .array(
                    outcome.evaluations.map { ["step": .int(Int64($0.step)), "holdout_loss_micros": micros($0.loss)] }),
            ], tokens: outcome.tokens)
    }
}
