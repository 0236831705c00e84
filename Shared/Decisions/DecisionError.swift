public import EventLog

/// Why nothing was decided, where it is not a rule that says no.
public enum DecisionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The command id was used before with another body.
    case conflict(CommandConflict)
    /// The state can't be trusted: an event could not be applied.
    case stopped(position: UInt64, reason: String)
    /// Others keep writing the same streams, or too much waits: try again with the same command id.
    case busy(String)
    /// The log can't be reached, or what came of the append is not known: try again with the same command id.
    case unavailable(String)
    /// A rule made an event that the log does not take, or an event lacks what it must have: an error in the program.
    case malformed(String)

    /// The fault in one line, with what to do.
    public var description: String {
        switch self {
        case .conflict(let conflict): "\(LogError.conflict(conflict))"
        case .stopped(let position, let reason): "stopped at position \(position): \(reason)"
        case .busy(let reason): "\(reason): try again with the same command id"
        case .unavailable(let reason): "the log is not available (\(reason)): try again with the same command id"
        case .malformed(let reason): reason
        }
    }
}
