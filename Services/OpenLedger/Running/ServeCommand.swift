import Events
import HTTPServer
import Identity
import LedgerService
import ServiceShell
import Telemetry
import Web

/// `openledger serve SERVICE`: one service of a deployment, told everything by its environment.
enum ServeCommand {
    static let specification = ArgumentSpecification(
        command: "openledger serve", summary: "Runs one service, with its own database role, as a deployment does.", operands: ["SERVICE"],
        notes: """
            Services: \(([Service.ledger.rawValue] + ServiceList.all.map { $0.name }).joined(separator: ", ")).

            Settings come from the environment, or from a file of KEY=value lines named by OPENLEDGER_CONFIG:
              OPENLEDGER_DATABASE           postgresql://openledger_SERVICE@host/name
              OPENLEDGER_DATABASE_PASSWORD  its password; better OPENLEDGER_DATABASE_PASSWORD_FILE
              OPENLEDGER_JWKS               the public keys of all services
              OPENLEDGER_HOST, _PORT        where to listen; 127.0.0.1 and the service's port when left out
              OPENLEDGER_TRUSTED_PROXIES    addresses whose X-Forwarded-For is believed
              OPENLEDGER_LOG_LEVEL          trace, debug, info, warning or error

            SIGHUP makes it read OPENLEDGER_JWKS again: a key that was taken out counts no longer.

            Of the ledger:
              OPENLEDGER_LOG_ORIGIN         the log's name: its public URL without a scheme
              OPENLEDGER_LOG_KEY_FILE       the key that signs checkpoints (openledger key FILE makes one)
              OPENLEDGER_LOG_OLD_KEY_FILES  earlier keys that sign along, newest first, separated by commas
              OPENLEDGER_KAFKA              brokers, when events are to be published
              OPENLEDGER_KAFKA_PREFIX       the topic's prefix; openledger when left out
              OPENLEDGER_KAFKA_PROPERTIES   further settings of the Kafka client, name=value, separated by commas
              OPENLEDGER_WITNESSES          "<verifier key> <url>" of each witness, separated by commas
              OPENLEDGER_SHARED             the folder that the other services share: its evidence is served beside the log

            Of the other services:
              OPENLEDGER_SERVICE_KEY_FILE   the key that signs the service's own tokens
              OPENLEDGER_LEDGER_URL, …      where each other service is; http://127.0.0.1 and its port when left out
              OPENLEDGER_DATA               a folder for the service's files
              OPENLEDGER_SHARED             a folder that all services share: evidence
            """)

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let name = arguments.operands[0]
        let settings = try Configuration.ofProcess()
        let logger = Logger(level: try settings.logLevel())
        let type = ServiceList.named(name)
        guard type != nil || name == Service.ledger.rawValue else {
            throw UsageError("there is no service \(name) here; openledger serve --help lists them")
        }
        let verifier = try await TokenVerifier.configured(settings, audiences: [type?.service.rawValue ?? name, everyService])
        let house =
            if let type { try await other(type, settings, verifier, logger) } else { try await ledger(settings, verifier, logger) }
        let reloading = Task { await reload(verifier, settings, logger) }
        defer { reloading.cancel() }
        try await house.serve { ready in
            // Only now: a service asks for its own settings while it opens.
            for key in settings.unknownKeys() { logger.warning("\(key) is no setting of this service") }
            let role = ready.ledger.map { $0.isLeading ? "serves and leads" : "serves, and waits to lead" } ?? "serves"
            logger.info(role, ["port": .integer(Int64(ready.port))])
        }
        return 0
    }

    /// Reads the keys of tokens again at each SIGHUP; with a file that can't be used the keys stay as they are.
    private static func reload(_ verifier: TokenVerifier, _ settings: Configuration, _ logger: Logger) async {
        await Signals.atHangUp {
            do {
                try await verifier.reload(settings)
                logger.info("the keys of tokens were read again")
            } catch {
                logger.error("the keys of tokens stay as they are: \(error)")
            }
        }
    }

    private static func ledger(
        _ settings: Configuration, _ verifier: TokenVerifier, _ logger: Logger
    ) async throws -> RunningHouse {
        let ledger = try await LedgerSettings.configured(settings)
        return RunningHouse(
            ledger: ledger, shared: settings.string("SHARED"),
            places: try settings.string("SHARED").map { [try DiskSpace("shared", $0, settings)] } ?? [],
            authenticator: { grants, _ in Authenticator(tokens: verifier, keys: nil, services: grants, vouching: Vouching.house) },
            addresses: [try address(Service.ledger.port, settings)], options: try ServingOptions(settings), logger: logger)
    }

    private static func other(
        _ type: any RunnableService.Type, _ settings: Configuration, _ verifier: TokenVerifier, _ logger: Logger
    ) async throws -> RunningHouse {
        let remote = try await RemoteContext.configured(type.service, settings)
        // The gateway knows of keys by itself, and a runner is called by services alone.
        let isCalledByPeople = type.service != .agentGateway && type.name == type.service.rawValue
        let watch: [any RunnableService.Type] = isCalledByPeople ? [TokenWatch.self] : []
        return RunningHouse(
            services: [type] + watch, places: remote.places,
            context: { [watch] type, near in
                // A broker's carrier is for one follower.
                let isFollowing = !watch.contains { $0.name == type.name }
                return try remote.context(logger: near.logger, metrics: near.metrics, isFollowing: isFollowing)
            },
            close: { await remote.close() },
            authenticator: { grants, keys in
                Authenticator(
                    tokens: verifier, keys: keys.isEmpty ? nil : APIKeyChain(keys), services: grants, vouching: Vouching.house)
            }, addresses: [try address(ServiceList.port(of: type), settings)],
            options: try ServingOptions(settings), logger: logger)
    }

    /// The audience of tokens for the whole house, as the gateway gives them to who signs in.
    private static let everyService = "openledger"

    private static func address(_ port: Int, _ settings: Configuration) throws -> Address {
        try ListenAddress.parse(
            host: settings.string("HOST", default: "127.0.0.1"), port: try settings.integer("PORT", in: 0...65_535, default: port))
    }
}
