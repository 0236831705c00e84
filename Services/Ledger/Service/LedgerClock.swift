public import Events
internal import Glibc

/// Where the ledger has the time from; a test gives its own.
public struct LedgerClock: Sendable {
    /// The present moment.
    public let now: @Sendable () -> Timestamp

    /// A clock that answers what the closure answers.
    public init(now: @escaping @Sendable () -> Timestamp) { self.now = now }

    /// The machine's clock.
    public static let system = LedgerClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
