/// How a run ended and what it recorded for a replay.
public struct TrainingOutcome: Sendable {
    /// How a run can end.
    public enum End: String, Sendable {
        /// All steps done.
        case finished
        /// The hold-out did not improve for `patience` evaluations; the best parameters are kept.
        case stoppedEarly
        /// Paused by the caller; `checkpoint` is what to go on from.
        case paused
    }

    /// How it ended.
    public var end: End
    /// Optimiser steps done, those before a resume included.
    public var steps: Int
    /// Tokens read.
    public var tokens: Int
    /// Mean loss of the last step, nats.
    public var finalLoss: Float
    /// Every evaluation in order.
    public var evaluations: [TrainingEvent.EvaluationMetrics]
    /// The step whose parameters these are.
    public var keptStep: Int
    /// Instructions used; pin it when the run is repeated.
    public var kernelLevel: KernelLevel
    /// What to go on from: set when `end` is `paused`, and at the end of a run with ``TrainingOptions/keepsHalf``.
    public var checkpoint: TrainingCheckpoint?
    /// The adapter after the first step that is half of all or more, with ``TrainingOptions/keepsHalf``, however often the run was
    /// interrupted; nil before.
    public var half: Adapter?
}
