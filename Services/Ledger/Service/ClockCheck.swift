public import Events
internal import Glibc

/// Looks at a machine's clock before events get their times from it. What is on the log stays: the log's own time never goes back, but with a
/// clock that does, whatever falls due waits until the clock has caught up.
public struct ClockCheck: Sendable {
    private let now: Timestamp

    /// The clocks of several machines differ by as much.
    private static let tolerance: Int64 = 120_000_000

    /// Looks at the clock once.
    public init(_ clock: LedgerClock) { now = clock.now() }

    /// Why the clock can't be right, in a sentence that says what to do; nil when nothing speaks against it.
    /// - Parameters:
    ///   - last: when the newest event was written.
    ///   - made: when the program was made.
    public func trouble(last: Timestamp?, made: Timestamp?) -> String? {
        if let last, now.microseconds + Self.tolerance < last.microseconds {
            return "this machine's clock says \(now), and the newest event on the log is of \(last): one of the two clocks was wrong. "
                + "Set this one (timedatectl) and start again; if the event's was, what falls due waits until \(last) has come"
        }
        if let made, now.microseconds + Self.tolerance < made.microseconds {
            return "this machine's clock says \(now), before this program was made (\(made)): set it (timedatectl) and start again"
        }
        return nil
    }

    /// When the running program's file was written; nil when nobody can say.
    public static var programMade: Timestamp? {
        var status = stat()
        guard stat("/proc/self/exe", &status) == 0 else { return nil }
        return Timestamp(microseconds: Int64(status.st_mtim.tv_sec) * 1_000_000)
    }
}
