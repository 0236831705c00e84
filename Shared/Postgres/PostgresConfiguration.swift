/// Where a server is and how to talk to it. Whoever prints one never sees the password.
public struct PostgresConfiguration: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// How far to trust the line (libpq's `sslmode`).
    public enum SSLMode: String, Sendable, Hashable, CaseIterable {
        /// Never TLS.
        case disable
        /// Plain first, TLS when the server insists.
        case allow
        /// TLS when the server offers it.
        case prefer
        /// TLS, whoever the server is.
        case require
        /// TLS, and a certificate of a known authority.
        case verifyCA = "verify-ca"
        /// TLS, a certificate of a known authority, and it names the host. The mode for a network one does not own.
        case verifyFull = "verify-full"
    }

    /// A host name, an address, or the folder of a UNIX socket (starts with `/`).
    public var host = "/var/run/postgresql"
    /// The port; it names the socket file too.
    public var port = 5432
    /// The database.
    public var database = "postgres"
    /// The role to log in as.
    public var user = "postgres"
    /// The password; nil leaves it to `PGPASSWORD`, the password file, or a server that asks for none.
    public var password: String?
    /// What `pg_stat_activity` calls the connection.
    public var applicationName = "openledger"
    /// How far to trust the line.
    public var sslMode = SSLMode.prefer
    /// A file with the authorities' certificates, for ``SSLMode/verifyCA`` and ``SSLMode/verifyFull``.
    public var sslRootCertificate: String?
    /// A file with our own certificate, where the server asks for one.
    public var sslCertificate: String?
    /// A file with the key of our own certificate.
    public var sslKey: String?
    /// Seconds until an attempt to connect is given up.
    public var connectTimeoutSeconds = 10
    /// Milliseconds until the server stops a statement; 0 for never.
    public var statementTimeoutMilliseconds = 30_000
    /// Milliseconds until the server stops waiting for a lock; 0 for never.
    public var lockTimeoutMilliseconds = 10_000
    /// Milliseconds until the server ends a transaction in which nothing happens; 0 for never.
    public var idleTransactionTimeoutMilliseconds = 60_000
    /// Seconds of silence after which TCP asks whether the server is still there; 0 leaves it to the system.
    public var keepAliveIdleSeconds = 30
    /// Seconds between two such questions.
    public var keepAliveIntervalSeconds = 10
    /// How many go unanswered before the connection counts as lost.
    public var keepAliveCount = 3
    /// Milliseconds that sent bytes may stay unacknowledged before TCP gives the connection up.
    public var tcpUserTimeoutMilliseconds = 60_000
    /// Prepared statements kept per connection; the one used longest ago makes room.
    public var statementCacheSize = 256
    /// Further parameters of libpq by their names there, such as `target_session_attrs`.
    public var parameters: [String: String] = [:]

    /// The defaults above.
    public init() {}

    /// Host, user and database with the defaults above.
    public init(host: String, port: Int = 5432, database: String, user: String, password: String? = nil) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
    }

    /// `user@host:port/database`, and how the line is trusted. No password.
    public var description: String { "\(user)@\(host):\(port)/\(database) (sslmode \(sslMode.rawValue))" }

    /// Keeps the password out of `dump` and of a debugger's print.
    public var customMirror: Mirror {
        Mirror(
            self,
            children: [
                "host": host, "port": port, "database": database, "user": user, "password": password == nil ? "none" : "set",
                "applicationName": applicationName, "sslMode": sslMode.rawValue,
            ])
    }
}
