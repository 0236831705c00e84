/// How a pool behaves. The defaults suit a service with its server in the same network.
public struct PoolOptions: Sendable {
    /// The most connections, each with a thread of its own.
    public var size = 8
    /// How long a caller waits for a connection.
    public var leaseTimeout: Duration = .seconds(10)
    /// The most callers that wait; one more is refused at once.
    public var maximumWaiting = 10_000
    /// A connection that lay idle for longer is asked whether it lives before it is lent.
    public var checkAfterIdle: Duration = .seconds(15)
    /// A connection older than this is closed when it comes back, so that a moved server or changed roles are noticed.
    public var maximumAge: Duration = .seconds(1800)
    /// The pause after the first failed attempt to connect; it doubles up to ``maximumBackoff``, with jitter.
    public var initialBackoff: Duration = .milliseconds(50)
    /// The longest pause between attempts to connect.
    public var maximumBackoff: Duration = .seconds(5)

    /// The defaults.
    public init(size: Int = 8, leaseTimeout: Duration = .seconds(10)) {
        self.size = size
        self.leaseTimeout = leaseTimeout
    }
}

/// A pool's figures at one moment.
public struct PoolMetrics: Sendable, Equatable {
    /// Connections open or being made.
    public var size: Int
    /// Of these, how many lie ready.
    public var idle: Int
    /// Of these, how many are lent.
    public var leased: Int
    /// Callers that wait.
    public var waiting: Int
    /// Connections made since the start.
    public var created: Int
    /// Attempts to connect that failed since the start.
    public var failed: Int
    /// Connections found dead and closed since the start.
    public var lost: Int
    /// Callers that waited in vain since the start.
    public var timedOut: Int
}
