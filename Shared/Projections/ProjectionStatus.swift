/// How a projection stands, for /readyz, metrics and people.
public struct ProjectionStatus: Sendable, Equatable, CustomStringConvertible {
    /// What it does.
    public enum State: Sendable, Equatable {
        /// It has not begun, or has ended.
        case idle
        /// It applies what the log had when it began.
        case catchingUp
        /// It is up with the log and applies events as they come.
        case live
        /// Another instance applies; this one sees how far that is and would take over.
        case standby
        /// Something it needs is away. It tries again by itself.
        case retrying(reason: String)
        /// The rows were made by another version: they need a rebuild, or this instance needs to go.
        case wrongVersion(rows: Int, program: Int)
        /// It met an event it can't apply, and waits for a fix.
        case stopped(position: UInt64, reason: String)
    }

    /// `schema.name`.
    public let projection: String
    /// What it does.
    public let state: State
    /// The position of the next event to apply: all lower ones are in the rows.
    public let next: UInt64
    /// The greatest length of the log that it has heard of.
    public let logSize: UInt64

    /// Events that it knows to be on the log and has not applied.
    public var lag: UInt64 { logSize > next ? logSize - next : 0 }

    /// Why the service should get no requests; nil when it should.
    public var notReady: String? {
        switch state {
        case .live, .standby: nil
        case .idle: "projection \(projection) has not begun"
        case .catchingUp: "projection \(projection) is at \(next) of \(logSize)"
        case .retrying(let reason): "projection \(projection) waits at \(next): \(reason)"
        case .wrongVersion(let rows, let program):
            ProjectionError.wrongVersion(projection: projection, rows: rows, program: program).description
        case .stopped(let position, let reason):
            ProjectionError.stopped(projection: projection, position: position, reason: reason).description
        }
    }

    /// In one line.
    public var description: String { notReady ?? "projection \(projection) is at \(next) of \(logSize)" }
}
