/// The first thing that is wrong with a log.
public struct AuditFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault; more may come.
    public enum Kind: String, Sendable {
        /// The checkpoint is not signed as it must be, or is none.
        case checkpoint
        /// A kept checkpoint is not signed as it must be, or is none.
        case keptCheckpoint = "kept-checkpoint"
        /// The log is shorter than a checkpoint that was kept: its tail was removed.
        case shrunk
        /// An event's bytes are not those that were signed for.
        case entry
        /// An event is not one: not canonical, a bad field, or an id that its cause does not make.
        case event
        /// A tile's hashes are not those of what it stands for.
        case tile
        /// Event and tile contradict each other, and neither leads to the signed root.
        case both
        /// Events or tiles that the checkpoint speaks of are not there.
        case missing
        /// The tree over all events is not the one that was signed for.
        case root
        /// The tree does not continue one that was signed for earlier: history was rewritten.
        case history
    }

    /// What kind.
    public let kind: Kind
    /// The first bad position; nil when it is the checkpoint that is bad.
    public let position: UInt64?
    /// Where it can't be said exactly: the bad position is below this one.
    public let below: UInt64?
    /// What is wrong, for a person.
    public let reason: String

    /// Names a fault.
    public init(_ kind: Kind, position: UInt64?, below: UInt64? = nil, _ reason: String) {
        self.kind = kind
        self.position = position
        self.below = below
        self.reason = reason
    }

    /// The fault in one line.
    public var description: String {
        switch (position, below) {
        case (let position?, let below?): "positions \(position) to \(below - 1): \(reason)"
        case (let position?, nil): "position \(position): \(reason)"
        default: reason
        }
    }
}
