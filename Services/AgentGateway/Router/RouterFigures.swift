/// How a backend is doing.
public struct BackendFigures: Sendable, Hashable {
    /// Its name.
    public let name: String
    /// Whether requests go there.
    public let isOpen: Bool
    /// Whether it is being emptied.
    public let isDraining: Bool
    /// Requests that it works on.
    public let running: Int
    /// Adapters that are ready there.
    public let resident: Int
    /// Adapters that are being brought in.
    public let loading: Int
    /// Requests that it answered.
    public let served: Int
    /// Requests for adapters that found them ready, and that had to wait for one.
    public let hits: Int
    /// See ``hits``.
    public let misses: Int
    /// Adapters that had to go for others.
    public let evictions: Int
    /// What bringing in an adapter takes, in microseconds.
    public let loadTime: Int64
}
