internal import Glibc

/// How to train: optimiser, schedule, length and when to look. The defaults suit an adapter on a few hundred rows.
public struct TrainingOptions: Sendable, Equatable {
    /// How the learning rate goes from its peak to the last step, after the warm-up.
    public enum Schedule: String, Sendable, CaseIterable {
        /// Stays at the peak.
        case constant
        /// Falls in a straight line to zero.
        case linear
        /// Falls along half a cosine to `minimumRate` of the peak.
        case cosine
    }

    /// Optimiser steps; when nil, `epochs` decide.
    public var steps: Int?
    /// Passes over the data, each in a new seeded order. Used when `steps` is nil.
    public var epochs = 3
    /// Rows that make one optimiser step (their gradients accumulate; the loss is the mean over all their target tokens).
    public var rowsPerStep = 8
    /// Peak learning rate of AdamW.
    public var learningRate: Float = 2e-3
    /// How the rate falls after the warm-up.
    public var schedule = Schedule.cosine
    /// The share of the peak at which `cosine` ends.
    public var minimumRate: Float = 0.1
    /// Steps over which the rate rises from zero to the peak.
    public var warmupSteps = 10
    /// AdamW (Loshchilov and Hutter, arXiv 1711.05101).
    public var beta1: Float = 0.9
    /// Decay of AdamW's second moment.
    public var beta2: Float = 0.999
    /// Added to the root of the second moment.
    public var epsilon: Float = 1e-8
    /// Decoupled decay; not applied to norms and biases.
    public var weightDecay: Float = 0
    /// The L2 norm above which a step's gradient is scaled down; nil: never.
    public var maximumGradientNorm: Float? = 1
    /// Decides the order of rows and the first values of new parameters.
    public var seed: UInt64 = 1
    /// Steps between evaluations on the hold-out; 0: only before the first and after the last step.
    public var evaluateEvery = 25
    /// Evaluations without a better hold-out loss after which training stops with the best parameters; nil: never.
    public var patience: Int?
    /// Steps between checkpoints; 0: none but the one of a pause.
    public var checkpointEvery = 50
    /// Into how many sums a step's gradient is split before they are added in order. It fixes the order of summation, so
    /// that the thread count does not change a byte; more threads than this do not help.
    public var gradientShards = 4
    /// Whether the outcome has the parameters at half way, the second point at which influence is measured, and a checkpoint of the end,
    /// with which a job can be left while its rows are measured. Decides no byte of the result.
    public var keepsHalf = false
    /// Bytes that weights, gradients, optimiser and workspaces may take together.
    public var memoryLimit = 8 << 30

    /// The defaults.
    public init() {}

    /// The learning rate of step `step` (from 0) of `total`.
    public func rate(step: Int, of total: Int) -> Float {
        if step < warmupSteps { return learningRate * Float(step + 1) / Float(warmupSteps) }
        let span = max(1, total - warmupSteps)
        let done = Float(min(step - warmupSteps, span)) / Float(span)
        return switch schedule {
        case .constant: learningRate
        case .linear: learningRate * (1 - done)
        case .cosine:
            learningRate * (minimumRate + (1 - minimumRate) * 0.5 * (1 + Float(cos(Double(done) * .pi))))
        }
    }

    /// How often a run holds numbers of the parameters' size: themselves, the optimiser's moments, gradients, what is kept of earlier
    /// steps, and the checkpoint that is being left.
    var parameterCopies: Int {
        3 + min(gradientShards, rowsPerStep) + (patience == nil ? 0 : 1) + (keepsHalf ? 2 + 3 : 0)
    }

    /// Refuses settings that cannot mean anything.
    public func check() throws(EngineError) {
        func require(_ condition: Bool, _ text: String) throws(EngineError) { if !condition { throw .badSetting(text) } }
        try require(steps.map { (1...10_000_000).contains($0) } ?? true, "steps must be in 1…10000000")
        try require((1...10_000).contains(epochs), "epochs must be in 1…10000")
        try require((1...65_536).contains(rowsPerStep), "rowsPerStep must be in 1…65536")
        try require(learningRate.isFinite && learningRate > 0 && learningRate <= 10, "learningRate must be above 0, at most 10")
        try require((0...1).contains(minimumRate), "minimumRate must be in 0…1")
        try require(warmupSteps >= 0, "warmupSteps must not be negative")
        try require((0..<1).contains(beta1) && (0..<1).contains(beta2), "beta1 and beta2 must be at least 0 and below 1")
        try require(epsilon.isFinite && epsilon > 0, "epsilon must be above 0")
        try require((0...1).contains(weightDecay), "weightDecay must be in 0…1")
        try require(maximumGradientNorm.map { $0.isFinite && $0 > 0 } ?? true, "maximumGradientNorm must be above 0")
        try require(evaluateEvery >= 0 && checkpointEvery >= 0, "evaluateEvery and checkpointEvery must not be negative")
        try require(patience.map { $0 > 0 } ?? true, "patience must be above 0")
        try require((1...64).contains(gradientShards), "gradientShards must be in 1…64")
    }
}
