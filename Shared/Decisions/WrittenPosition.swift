internal import Synchronization
internal import Threads

/// How far on the log what a request decided stands, for the header that its answer carries.
///
/// Whoever answers requests puts one in ``current``; each decision that is made under it is noted.
public final class WrittenPosition: Sendable {
    /// The request's that this task works on; nil where nobody asks.
    @TaskLocal public static var current: WrittenPosition?

    private let end = Lock<UInt64>(0)

    /// Nothing has been decided yet.
    public init() {}

    /// The position after the last event; nil where none was made.
    public var next: UInt64? { end.withLock { $0 > 0 ? $0 : nil } }

    func note(_ outcome: Outcome) {
        guard let next = outcome.end else { return }
        end.withLock { $0 = max($0, next) }
    }
}
