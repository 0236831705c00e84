/// What a training run reports while it goes on. Called on the run's own thread, in order.
public enum TrainingEvent: Sendable {
    /// An optimiser step is done.
    case step(StepMetrics)
    /// The hold-out was measured.
    case evaluation(EvaluationMetrics)
    /// The state after a step; a run resumed from it gives the same bytes as one that never stopped.
    case checkpoint(TrainingCheckpoint)

    /// One optimiser step.
    public struct StepMetrics: Sendable, Equatable {
        /// From 1.
        public var step: Int
        /// Steps that the whole run has.
        public var totalSteps: Int
        /// Mean over the step's target tokens, nats.
        public var loss: Float
        /// The step's learning rate.
        public var learningRate: Float
        /// L2 norm before clipping.
        public var gradientNorm: Float
        /// Tokens read since the run began, padding never counted.
        public var tokens: Int
    }

    /// One look at the hold-out.
    public struct EvaluationMetrics: Sendable, Equatable {
        /// Steps done so far; 0 before the first.
        public var step: Int
        /// Mean over the hold-out's target tokens, nats.
        public var loss: Float
        /// Share of target tokens that the model ranks first.
        public var tokenAccuracy: Float
        /// Whether this is the lowest loss so far.
        public var isBest: Bool
    }
}

/// What the caller wants after an event.
public enum TrainingDecision: Sendable, Equatable {
    case proceed
    /// Stop after this step with a checkpoint to go on from.
    case pause
    /// Stop at once; the run throws ``EngineError/cancelled``.
    case cancel
}
