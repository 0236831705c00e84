internal import Crypto
internal import Engine
internal import Events
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Threads

/// A look at what somebody's own runner handed in: the job done again where this engine gives the same bytes, and else its loss measured
/// beside that of the job done here.
struct WorkCheck: Sendable {
    let order: TrainingDesk.Order
    let work: TrainingDesk.Work
    let tuning: FineTuning

    /// A loss that no adapter has, for one that can't even be read.
    private static let worst = 1_000_000_000

    /// What was found, as training takes it.
    func run() async throws -> JSONValue {
        if let level = try repeatLevel() {
            var tuning = tuning
            if level != tuning.pool.level { tuning.pool = try ComputePool(threads: tuning.pool.threads, level: level) }
            let made = try await tuning.make(Progress(order: order, desk: tuning.desk))
            // What comes out otherwise on another library of functions is no lie: it is measured, as another engine's work is.
            if made.adapter.digest == work.adapter, made.rows.digest == work.rows { return found(made) }
            guard isOfAnotherLibrary else { return found(made) }
            tuning.logger.info("other bytes came out than on another library of functions", ["job": .string(order.job)])
        }
        let progress = Progress(order: order, desk: tuning.desk)
        return try await progress.whileTold { try await measured(progress) }
    }

    private func found(_ made: FineTuning.Made) -> JSONValue {
        ["adapter": .digest(made.adapter.digest), "rows": .digest(made.rows.digest)]
    }

    /// Whether its record names a library of functions that gives other last places than this machine's.
    private var isOfAnotherLibrary: Bool {
        guard let named = try? work.record.optionalString("libm_digest"), let digest = Digest(prefixed: named) else { return false }
        return digest != MathLibrary.digest
    }

    /// The loss of what was handed in, of the base, and of what the same job gives this runner, on the same rows: what was learned is known
    /// by no other way than learning it.
    private func measured(_ progress: Progress) async throws -> JSONValue {
        let model = try tuning.model(), plan = try TrainingPlan(order.settings)
        let rows = try await tuning.rows(plan, model)
        let measured = (rows.holdout.isEmpty ? rows.training : rows.holdout).map(\.example)
        let base = try await model.model.evaluate(measured, pool: tuning.pool).loss
        let own = try await tuning.learned(plan, rows, model, progress)
        let reached = try await model.model.evaluate(measured, adapter: own, pool: tuning.pool).loss
        var loss = Self.worst
        do {
            let adapter = try await tuning.library.adapter(work.adapter, on: order.base)
            loss = Self.micros(try await model.model.evaluate(measured, adapter: adapter, pool: tuning.pool).loss)
        } catch {
            guard JobFault.isOfTheWork(error) else { throw error }
            tuning.logger.info("what was handed in is no adapter of the base", ["job": .string(order.job), "reason": .string("\(error)")])
        }
        let rowsAgree = loss < Self.worst ? try await RowsCheck(work: work, tuning: tuning, model: model, rows: rows).run() : false
        return .members([
            "loss_micros": .count(loss), "base_loss_micros": .count(Self.micros(base)), "reached_micros": .count(Self.micros(reached)),
            "held_out": .bool(!rows.holdout.isEmpty), "rows_agree": work.rows == nil ? nil : .bool(rowsAgree),
        ])
    }

    /// The kernels that give the bytes of work that this engine computed, by its record; nil for another engine's, or where this processor
    /// has none such. A record that names no kernels of the engine's is held to be of the best: nobody gets out of a repeat by it.
    private func repeatLevel() throws -> KernelLevel? {
        guard try work.record.optionalString("engine") == TrainingPlan.engine else { return nil }
        // What this engine does not compute at all it can't have computed: such work is measured, whatever its record says.
        guard try TrainingPlan(order.settings).foreignPrecision == nil else { return nil }
        guard let level = KernelLevel(rawValue: try work.record.optionalString("kernel_level") ?? "") else { return tuning.pool.level }
        if level.agrees(with: tuning.pool.level) { return tuning.pool.level }
        return KernelLevel.available.first { $0.agrees(with: level) }
    }

    private static func micros(_ loss: Double) -> Int { Int(min(Double(worst), (loss * 1_000_000).rounded())) }
}
