internal import Engine

/// What a job may take of a runner, in bytes.
struct JobLimits: Sendable {
    /// Of memory, the base model included.
    let memory: Int
    /// Of attribution rows.
    let rows: Int
    /// Of the factors that they are made with.
    let factors: Int

    /// Whether a job keeps within all of them.
    func hold(_ estimate: MemoryEstimate) -> Bool {
        estimate.total <= memory && estimate.written <= rows && estimate.factors <= factors
    }
}

/// The size of a job's data on a base model, from which all that it will take is known before it begins.
struct JobSize: Sendable {
    let model: LanguageModel
    /// How many rows are learned from.
    let rows: Int
    /// Tokens of the longest.
    let longest: Int
    let threads: Int

    /// What a job under that plan takes.
    func memory(_ plan: TrainingPlan) -> MemoryEstimate { plan.memory(on: model, rows: rows, longest: longest, threads: threads) }

    /// Those of a plan's targets with which a job keeps within the limits, in the engine's order: all where they do, else without the ones
    /// that take most, one after another; none where not even one would do.
    func targets(_ plan: TrainingPlan, within limits: JobLimits) -> [LinearModule] {
        var plan = plan
        // The factors of a module are squares of its sides, and take far more than all else that it has.
        let cost = Dictionary(
            plan.lora.modules.map { module in
                var alone = plan
                alone.lora.modules = [module]
                let estimate = memory(alone)
                return (module, estimate.factors + estimate.written)
            }
        ) { first, _ in first }
        while !plan.lora.modules.isEmpty, !limits.hold(memory(plan)) {
            // Of two that take the same, the one that comes later in a block goes.
            guard let largest = plan.lora.modules.max(by: { (cost[$0] ?? 0, $0) < (cost[$1] ?? 0, $1) }) else { break }
            plan.lora.modules.remove(largest)
        }
        return plan.lora.modules.sorted()
    }

    /// Refuses a plan that would take more than it may, before anything is learned.
    func require(_ plan: TrainingPlan, within limits: JobLimits) throws(RunnerError) {
        let needed = memory(plan)
        guard !limits.hold(needed) else { return }
        let fits = targets(plan, within: limits)
        if needed.written > limits.rows { throw .tooManyRows(needed: needed.written, limit: limits.rows, fits: fits) }
        if needed.factors > limits.factors { throw .largeFactors(needed: needed.factors, limit: limits.factors, fits: fits) }
        throw .tooLarge(needed: needed.total, limit: limits.memory, fits: fits)
    }
}
