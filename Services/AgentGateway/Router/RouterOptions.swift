/// The router's bounds. All times are in microseconds.
public struct RouterOptions: Sendable, Hashable {
    /// Most requests that wait, of all principals.
    public var mostWaiting = 1_024
    /// Most requests of one principal that wait.
    public var mostWaitingOfOne = 256
    /// The longest that a request waits for its turn.
    public var longestWait: Int64 = 30_000_000
    /// Waiting requests that are looked at, from the first, when a place is free; those that wait for the same count as one.
    public var lookahead = 256
    /// Backends that a request is tried on.
    public var attempts = 3
    /// How long a cold request waits for an adapter to go idle by itself before one is taken out of use for it.
    public var patience: Int64 = 500_000
    /// What loading is taken to cost before any was measured.
    public var usualLoad: Int64 = 100_000
    /// Failures in a row that close a backend.
    public var failures = 3
    /// For how long it is closed first; twice as long each time, up to ``longestClosure``.
    public var closure: Int64 = 1_000_000
    /// The longest.
    public var longestClosure: Int64 = 60_000_000
    /// How popularity is measured.
    public var popularity = Popularity.Options()

    /// The defaults.
    public init() {}
}
