public import Events
import LedgerService
import Synchronization

/// The machine's clock, which a test may put ahead: what comes after weeks happens in a moment.
public final class MovableClock: Sendable {
    private let ahead = Mutex<Int64>(0)

    init() {}

    /// The present moment, as far ahead of the machine's as the test has put it.
    public func now() -> Timestamp {
        let machine = LedgerClock.system.now().microseconds
        return Timestamp(microseconds: machine + ahead.withLock { $0 })
    }

    /// Puts the clock ahead, by so much more.
    public func advance(days: Int64) { advance(seconds: days * 86_400) }

    /// Puts the clock ahead, by so much more.
    public func advance(seconds: Int64) { ahead.withLock { $0 += seconds * 1_000_000 } }
}
