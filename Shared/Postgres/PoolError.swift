/// Why a pool gave no connection.
public enum PoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The pool is closed, or closing.
    case closed
    /// All connections stayed taken, or none could be made, for as long as a caller may wait.
    case leaseTimeout(waited: Duration, size: Int, lastFailure: PostgresError?)

    /// What happened and, where connecting failed, why.
    public var description: String {
        switch self {
        case .closed: "the connection pool is closed"
        case .leaseTimeout(let waited, let size, nil):
            "no connection within \(waited): all \(size) are in use; a larger pool or shorter transactions would help"
        case .leaseTimeout(let waited, _, let failure?): "no connection within \(waited): \(failure)"
        }
    }
}
