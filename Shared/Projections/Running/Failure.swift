internal import EventLog
internal import Postgres

/// What a failed transaction calls for.
enum Failure: Error {
    /// The position is not where it was thought to be: somebody else applied, or a rebuild took the place of the rows.
    case moved
    /// The database can't be reached or has no room: nothing is wrong with the event.
    case away(reason: String)
    /// The transaction collided with another and may go through next time.
    case collision(reason: String)
    /// The events can't be applied.
    case refused(reason: String)
    /// The task was cancelled.
    case cancelled

    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case is CancellationError: self = .cancelled
        case let error as PoolError: self = .away(reason: "\(error)")
        case let error as PostgresError: self.init(error)
        default: self = .refused(reason: "\(error)")
        }
    }

    private init(_ error: PostgresError) {
        let reason = "\(error)"
        // Class 53: disk full, out of memory, too many connections.
        if error.isConnectionLost || error.code.category == "53" {
            self = .away(reason: reason)
        } else if error.isRetriable || Self.passing.contains(error.code) {
            self = .collision(reason: reason)
        } else {
            self = .refused(reason: reason)
        }
    }

    /// A lock that was not had in time, a statement that was stopped, a plan from before a table was changed: tried again some
    /// times, but not for ever.
    private static let passing: Set<SQLState> = [.lockNotAvailable, .queryCanceled, .featureNotSupported, .invalidStatementName]
}
