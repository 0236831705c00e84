internal import Glibc

/// Whether it is worth looking for what a thread waits for before it sleeps.
///
/// To wake a sleeping thread takes tens of microseconds, as long as a quick disk takes to commit. Who waits for what has come soon the last
/// time looks a little longer; who has waited for long sleeps at once, so that an idle process burns nothing.
public struct Pace: Sendable {
    /// What came within this time came soon, in nanoseconds.
    static let soon = 400_000
    /// For how long to look when it did.
    static let patience = 200_000

    private(set) var isSoon = true
    /// For how long to look otherwise.
    private let least: Int

    /// Nothing has been waited for yet.
    /// - Parameter least: for how many nanoseconds to look where nothing says that it is worth it.
    public init(least: Int = 0) { self.least = least }

    /// Begins to wait.
    /// - Returns: the moment, for ``looks(_:)`` and ``end(_:)``.
    public func begin() -> Int { Self.now }

    /// Whether to go on looking; then it is time to sleep.
    public func looks(_ start: Int) -> Bool { Self.now - start < (isSoon ? Self.patience : least) }

    /// It has come.
    public mutating func end(_ start: Int) { end(after: Self.now - start) }

    /// It has come after so many nanoseconds.
    mutating func end(after waited: Int) { isSoon = waited < Self.soon }

    /// Nanoseconds on the monotonic clock.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
