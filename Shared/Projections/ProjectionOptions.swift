/// How a projection runs. The defaults suit a service with its database in the same network.
public struct ProjectionOptions: Sendable {
    /// The most events in one transaction.
    public var batch = 1_024
    /// From this many events in one transaction on, but for one that is full, it waits ``gathering`` for more, unless somebody waits for the
    /// rows.
    public var many = 64
    /// So long it waits for more where many come.
    public var gathering: Duration = .milliseconds(50)
    /// How long one call to the carrier may wait for an event.
    public var wait: Duration = .seconds(20)
    /// How often an instance that does not apply looks whether it should, and how far the rows are.
    public var watch: Duration = .milliseconds(250)
    /// The same while somebody waits for the rows.
    public var hastyWatch: Duration = .milliseconds(5)
    /// How often a transaction that collides with others is tried before the projection stops.
    public var attempts = 20
    /// The first pause after trouble; it doubles up to ``maximumPause``.
    public var initialPause: Duration = .milliseconds(20)
    /// The longest pause.
    public var maximumPause: Duration = .seconds(5)

    /// The defaults.
    public init() {}
}
