import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import Identity
import Kafka
import LedgerService
import Postgres
import Projections
import ServiceShell
import Synchronization
import Telemetry
import Threads

/// What a service that runs by itself is given: the log and the other services over the network.
struct RemoteContext: Sendable {
    private let service: Service
    private let settings: Configuration
    private let database: PostgresConfiguration
    private let key: Ed25519PrivateKey
    private let addresses: [Service: String]
    /// The ledger and its standbys.
    private let ledgers: [String]
    private let folder: String
    private let shared: String
    private let carried = CarriedLogs()
    /// The same places, with what room they must have.
    let places: [DiskSpace]

    /// From the settings of a deployment: see docs/operating.md.
    static func configured(_ service: Service, _ settings: Configuration) async throws -> RemoteContext {
        let path = try settings.required(
            "SERVICE_KEY_FILE", "a file with the Ed25519 key (PEM) that signs this service's tokens; make one with `openledger key FILE`")
        let folder = try settings.required("DATA", "a folder for the service's files")
        let shared = settings.string("SHARED", default: folder + "/shared")
        let places = [try DiskSpace("data", folder, settings), try DiskSpace("shared", shared, settings)]
        for place in places { try place.insist() }
        for path in [folder, shared] { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        var addresses: [Service: String] = [:]
        for peer in Service.allCases {
            addresses[peer] = settings.string("\(peer.setting)_URL", default: "http://127.0.0.1:\(peer.port)")
        }
        let ledgers = (addresses[.ledger] ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard let ledger = ledgers.first else {
            throw ConfigurationError(key: "OPENLEDGER_LEDGER_URL", expected: "one or more addresses, separated by commas")
        }
        addresses[.ledger] = ledger
        return RemoteContext(
            service: service, settings: settings, database: try PostgresConfiguration.configured(settings),
            key: try await OSThread.run(name: "key") { try KeyFile.load(path) }, addresses: addresses, ledgers: ledgers, folder: folder,
            shared: shared, places: places)
    }

    /// - Parameter isFollowing: false reads the log from the ledger alone, for who reads it once from its beginning.
    func context(logger: Logger, metrics: Metrics, isFollowing: Bool = true) throws -> ServiceContext {
        let transport = try CurlTransport()
        let tokens = ServiceTokenSource(signer: TokenSigner(key: key, issuer: service.rawValue))
        let ledger = HTTPLogClient(transport: transport, bases: ledgers.map { $0 + "/log" }) {
            try await tokens.token(for: Service.ledger.rawValue)
        }
        return ServiceContext(
            service: service, log: isFollowing ? try follow(ledger, logger, metrics) : ledger,
            database: database,
            peers: Peers(transport: transport, addresses: addresses) { try await tokens.token(for: $0.rawValue) },
            signer: TokenSigner(key: key, issuer: service.rawValue), folder: folder, shared: shared, settings: settings,
            clock: { LedgerClock.system.now() }, logger: logger, metrics: metrics)
    }

    /// Events come over Kafka where brokers are named, else by the ledger's long poll.
    private func follow(_ ledger: HTTPLogClient, _ logger: Logger, _ metrics: Metrics) throws -> any LogClient {
        guard let (brokers, topic) = try KafkaConfiguration.configured(settings, client: "openledger-" + service.rawValue) else {
            return ledger
        }
        let carrier = try KafkaCarrier(brokers.observed(metrics, logger), topic: topic, client: ledger, logger: logger, metrics: metrics)
        let log = CarriedLog(ledger, carrier: carrier, logger: logger)
        carried.add(log)
        return log
    }

    /// Lets go of the brokers. Whoever still waits for events is told that it was cancelled.
    func close() async { await carried.close() }
}

/// The logs that come by a carrier, so that it can be closed at the end.
private final class CarriedLogs: Sendable {
    private let logs = Lock<[CarriedLog]>([])

    func add(_ log: CarriedLog) { logs.withLock { $0.append(log) } }

    func close() async {
        let open = logs.withLock { logs in
            defer { logs = [] }
            return logs
        }
        for log in open { await log.close() }
    }
}
