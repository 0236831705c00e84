public import EventLog
public import Events
public import Identity
public import Postgres
public import Telemetry

/// What a service is given when it starts: the house around it, be the others in the same process or far away.
public struct ServiceContext: Sendable {
    /// Which service this is.
    public let service: Service
    /// The log, in the service's own name.
    public let log: any LogClient
    /// The database, with the service's own role.
    public let database: PostgresConfiguration
    /// The other services.
    public let peers: Peers
    /// Signs tokens in the service's name.
    public let signer: TokenSigner
    /// A folder of the service's own, for blobs, indexes and artefacts. It exists.
    public let folder: String
    /// A folder that all services share: the evidence store, unless a setting names another place.
    public let shared: String
    /// What the deployment says.
    public let settings: Configuration
    /// Gives commands their time.
    public let clock: @Sendable () -> Timestamp
    /// Where log lines go.
    public let logger: Logger
    /// Where figures go.
    public let metrics: Metrics

    /// A context from its parts.
    public init(
        service: Service, log: any LogClient, database: PostgresConfiguration, peers: Peers, signer: TokenSigner, folder: String,
        shared: String,
        settings: Configuration, clock: @escaping @Sendable () -> Timestamp, logger: Logger, metrics: Metrics
    ) {
        self.service = service
        self.log = log
        self.database = database
        self.peers = peers
        self.signer = signer
        self.folder = folder
        self.shared = shared
        self.settings = settings
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
    }
}
