/// How a private cluster is set up and run.
public struct ClusterOptions: Sendable {
    /// A certificate and its key for TLS on the TCP door.
    public struct TLS: Sendable {
        /// The certificate (chain), PEM.
        public var certificate: String
        /// Its private key, PEM; kept in the data folder with mode 0600.
        public var key: String

        /// Both as PEM text.
        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// Whether the server also listens on 127.0.0.1.
    public enum TCP: Sendable, Equatable {
        /// UNIX socket only.
        case off
        /// On this port; 0 picks a free one. Logins over TCP need a password (SCRAM).
        case loopback(port: Int)
    }

    /// More `postgresql.conf` settings, which win over the defaults here.
    public var settings: [String: String]
    /// `pg_hba.conf` lines put before the usual ones.
    public var accessRules: [String]
    /// Connections at most.
    public var maxConnections: Int
    /// The database made on first start.
    public var database: String
    /// TCP beside the socket.
    public var tcp: TCP
    /// TLS for TCP.
    public var tls: TLS?
    /// Whether the server stops (fast) when this process ends, however it ends.
    public var stopsWithParent: Bool
    /// How long a start may take, recovery after a crash included.
    public var startTimeout: Duration

    /// A server on its private socket, which stops with this process.
    public init(
        settings: [String: String] = [:], accessRules: [String] = [], maxConnections: Int = 200,
        database: String = "openledger", tcp: TCP = .off, tls: TLS? = nil, stopsWithParent: Bool = true,
        startTimeout: Duration = .seconds(120)
    ) {
        self.settings = settings
        self.accessRules = accessRules
        self.maxConnections = maxConnections
        self.database = database
        self.tcp = tcp
        self.tls = tls
        self.stopsWithParent = stopsWithParent
        self.startTimeout = startTimeout
    }
}
