/// What can go wrong with a projection.
public enum ProjectionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A name that can't stand in SQL.
    case badName(what: String, name: String)
    /// For ``Projection/apply(_:in:tables:)`` to say why an event can't be applied.
    case cannotApply(String)
    /// The projection met an event it can't apply and waits for a fix.
    case stopped(projection: String, position: UInt64, reason: String)
    /// The event was not applied within the time the caller would wait.
    case notYetApplied(projection: String, position: UInt64, next: UInt64)
    /// The rows were made by another version of the projection.
    case wrongVersion(projection: String, rows: Int, program: Int)
    /// The projection is not running.
    case notRunning(projection: String)
    /// Another rebuild of the same projection is under way.
    case rebuildRunning(projection: String)
    /// A table is of a kind that a rebuild can't make a copy of.
    case cannotRebuild(table: String, reason: String)
    /// The log ended before the position that the live rows have reached: it is another log, or a part of it.
    case logTooShort(projection: String, position: UInt64, size: UInt64)

    /// What happened and, where something can be done, what.
    public var description: String {
        switch self {
        case .badName(let what, let name): "\"\(name)\" can't be the \(what) of a projection: use a-z, 0-9 and _, and keep it short"
        case .cannotApply(let reason): reason
        case .stopped(let projection, let position, let reason):
            "projection \(projection) stopped at position \(position): \(reason). Nothing is lost; it goes on there once this is mended"
        case .notYetApplied(let projection, let position, let next):
            "projection \(projection) has not applied position \(position) yet, its next is \(next): ask again in a moment"
        case .wrongVersion(let projection, let rows, let program):
            rows < program
                ? "projection \(projection) has rows of version \(rows), this program makes version \(program): rebuild it"
                : "projection \(projection) has rows of version \(rows), newer than this program's \(program): use the newer program"
        case .notRunning(let projection): "projection \(projection) is not running"
        case .rebuildRunning(let projection): "projection \(projection) is being rebuilt already"
        case .cannotRebuild(let table, let reason): "table \(table) can't be rebuilt: \(reason)"
        case .logTooShort(let projection, let position, let size):
            "projection \(projection) has applied positions below \(position), but the log has only \(size) events: is it the same log?"
        }
    }
}
