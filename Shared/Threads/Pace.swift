internal import Glibc

/// Whether it is worth looking for what a thread waits for before it sleeps.
///
/// To wake a sleeping thread takes tens of microseconds, as long as a quick disk takes to commit. Who waits for what has come soon the last
/// time looks a little longer; who has waited for long sleeps at once, so that an idle process burns nothing.
public struct Pace: Sendable {
    /// For how long to look where it is worth it, in nanoseconds, unless somebody says otherwise.
    public static let usualPatience = 200_000

    private(set) var isSoon = true
    private let patience: Int
    /// For how long to look otherwise.
    private let least: Int
    /// What came within this time came soon.
    private let soon: Int

    /// Nothing has been waited for yet.
    /// - Parameters:
    ///   - least: for how many nanoseconds to look where nothing says that it is worth it.
    ///   - soon: within how many nanoseconds something has to come for the next one to be looked for.
    ///   - patience: for how many nanoseconds to look where it is worth it. To look for less long than what comes soon may take is to pay
    ///     for the looking and for the waking.
    public init(least: Int = 0, soon: Int = 400_000, patience: Int = Self.usualPatience) {
        self.least = least
        self.soon = soon
        self.patience = patience
    }

    /// Begins to wait.
    /// - Returns: the moment, for ``looks(_:)`` and ``end(_:)``.
    public func begin() -> Int { Self.now }

    /// Whether to go on looking; then it is time to sleep.
    public func looks(_ start: Int) -> Bool { looks(after: Self.now - start) }

    /// Whether to go on looking after so many nanoseconds.
    func looks(after waited: Int) -> Bool { waited < (isSoon ? patience : least) }

    /// It has come.
    public mutating func end(_ start: Int) { end(after: Self.now - start) }

    /// It has come after so many nanoseconds.
    mutating func end(after waited: Int) { isSoon = waited < soon }

    /// Nanoseconds on the monotonic clock.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
