/// How far a rebuild is.
public struct RebuildProgress: Sendable, Equatable, CustomStringConvertible {
    /// What it does.
    public enum Phase: String, Sendable {
        /// Applies the log from its beginning.
        case replaying
        /// Takes the place of the live rows, or is compared with them.
        case finishing
        /// Is done.
        case done
    }

    /// What it does.
    public let phase: Phase
    /// All lower positions are in the new rows.
    public let next: UInt64
    /// Events on the log.
    public let size: UInt64
    /// Events applied per second since the start.
    public let perSecond: Double

    /// In one line.
    public var description: String { "\(phase.rawValue): \(next) of \(size) events, \(Int(perSecond)) per second" }
}

/// What a rebuild came to.
public struct RebuildReport: Sendable, Equatable {
    /// All lower positions are in the rows.
    public let next: UInt64
    /// Of a comparison: rows that are only in the live table or only in the rebuilt one, for each table that has any. Empty when
    /// the live rows are what the log says, and after a swap.
    public let differences: [String: Int]
}
