/// How a server behaves. Everything is bounded; the defaults suit a service behind a proxy on the same machine.
public struct Options: Sendable {
    /// How much of a request is accepted.
    public var limits = Limits()
    /// Threads that each serve a share of the connections. Handlers run on the cooperative pool, brief ones also here.
    public var threads = 1
    /// Connections that the kernel keeps waiting.
    public var backlog = 1_024
    /// Open connections; more wait in the kernel until one closes.
    public var maxConnections = 10_000
    /// Handlers that run at once; a request too many gets 503.
    public var maxHandlers = 10_000
    /// Bytes of replies that wait for their clients to read them, of all connections together; while there are more, new requests get
    /// 503.
    public var maxQueuedOutput = 256 << 20
    /// Connections that one client's address may hold; one too many gets 429 and is closed. Addresses of trusted
    /// proxies are not limited, and an IPv6 client is its /64.
    public var maxConnectionsPerPeer = 2_000
    /// Handlers that run at once for one client's address, that of `X-Forwarded-For` where it is believed; more get 429.
    public var maxRequestsPerPeer = 2_000
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    public var trustedProxies = TrustedProxies.none

    /// From the first byte of a head, or from the connection's begin, to the head's end; else 408.
    public var headTimeout = Duration.seconds(10)
    /// How long a connection may be kept without a request.
    public var idleTimeout = Duration.seconds(60)
    /// From the end of a request, or the last of its body that was let in, to the handler's reply; then the client gets 503
    /// and the handler's task is cancelled. A reply that has begun to stream may take as long as it likes. nil: no deadline.
    public var handlerTimeout: Duration? = .seconds(60)
    /// A longer time than `handlerTimeout` for some requests, by method and target; nil for all others. Asked on the thread that serves the
    /// connection, of requests whose time is over: look it up, do not wait.
    public var handlerPatience: (@Sendable (_ method: String, _ target: String) -> Duration?)?
    /// Which requests are so little work between their waits that to wake a thread of the pool for it costs more: while few handlers run,
    /// those with a small body are handled on the thread that serves the connection. Asked there: look it up, do not wait.
    public var isBrief: (@Sendable (_ method: String, _ target: String) -> Bool)?
    /// A body that comes, or a reply that is taken, at fewer than `minimumBytes` in this time ends the connection: 408 for the
    /// body, a reset for the reply.
    public var rateWindow = Duration.seconds(10)
    /// See `rateWindow`.
    public var minimumBytes = 2_400
    /// Bytes of further requests that may wait behind a running handler; more is answered by a reset, since they would
    /// hide that the client has gone.
    public var maxPipelined = 64 << 10
    /// While the server stops: how long an idle client may still send the request it is about to.
    public var drainIdle = Duration.milliseconds(500)

    /// Told of every finished exchange, on the thread that serves the connection: hand it over, do not wait.
    public var onExchange: (@Sendable (ExchangeRecord) -> Void)?

    /// The defaults.
    public init() {}
}
