public import Crypto
public import EventLog
public import Kafka
public import Postgres

/// What a ledger must be told to run.
public struct LedgerSettings: Sendable {
    /// The database, with the ledger's own role.
    public var database: PostgresConfiguration
    /// Connections for reading; writing has one of its own.
    public var readers = 4
    /// The log's name when it has none yet; a log keeps its first name for ever.
    public var origin: String
    /// Ed25519 keys, newest first.
    public var keys: [Ed25519PrivateKey]
    /// Witnesses: verifier key and submission prefix.
    public var witnesses: [(key: VerifierKey, url: String)] = []
    /// Kafka, when events are to be published there.
    public var kafka: (configuration: KafkaConfiguration, topic: String, replication: Int)?
    /// How this instance is told from others in the table of terms.
    public var instance: String

    /// The least that is needed.
    public init(database: PostgresConfiguration, origin: String, keys: [Ed25519PrivateKey], instance: String) {
        self.database = database
        self.origin = origin
        self.keys = keys
        self.instance = instance
    }
}
