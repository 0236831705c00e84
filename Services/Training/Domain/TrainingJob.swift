public import Events

/// A fine-tuning job as the log tells it.
public struct TrainingJob: Sendable, Hashable {
    /// Where it stands.
    public enum Status: String, Sendable, Hashable {
        /// Waits for a runner.
        case queued
        /// A runner works on it.
        case running
        /// Its owner halted it.
        case paused
        /// Somebody's own runner handed something in, and the house looks at it.
        case checking
        /// It made an adapter.
        case succeeded
        /// It ended without one.
        case failed
        /// Its owner stopped it.
        case cancelled

        /// Whether nothing more happens to it.
        public var isOver: Bool { self == .succeeded || self == .failed || self == .cancelled }
    }

    /// What was asked for.
    public let request: JobRequested
    /// When.
    public let time: Timestamp
    /// Where it stands.
    public internal(set) var status = Status.queued
    /// Who works on it.
    public internal(set) var runner: String?
    /// How many have begun it.
    public internal(set) var attempt = 0
    /// When the last one began.
    public internal(set) var begun: Timestamp?
    /// How often it was begun since its owner, or a checkpoint of one of the house's own runners, last moved it on.
    public internal(set) var lapses = 0
    /// Somebody's own runners that gave it back or whose work on it was not taken: they don't get it again.
    public internal(set) var refused: Set<String> = []
    /// When it was last given back, and why.
    public internal(set) var released: Release?

    /// That a runner gave it back.
    public struct Release: Sendable, Hashable {
        /// When.
        public let time: Timestamp
        /// The runner's word.
        public let reason: String
    }
    /// The last checkpoint.
    public internal(set) var checkpoint: JobCheckpointed?
    /// Who left it.
    public internal(set) var checkpointRunner: String?
    /// What somebody's own runner handed in last.
    public internal(set) var delivered: JobDelivered?
    /// When that was.
    public internal(set) var deliveredAt: Timestamp?
    /// What the house found when it looked at that.
    public internal(set) var checked: JobChecked?
    /// When somebody first began it.
    public internal(set) var started: Timestamp?
    /// When it was over.
    public internal(set) var ended: Timestamp?
    /// What came of it.
    public internal(set) var completed: JobCompleted?
    /// Why it failed.
    public internal(set) var reason: String?
}

/// A published model, and whether it may still be asked.
public struct ModelVersion: Sendable, Hashable {
    /// Its terms.
    public let terms: ModelPublished
    /// When it was published.
    public let time: Timestamp
    /// Whether it was taken back.
    public internal(set) var isRetired = false
}
