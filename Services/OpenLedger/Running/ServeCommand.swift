import HTTPServer
import Identity
import LedgerService
import Telemetry
import Web

/// `openledger serve SERVICE`: one service of a deployment, told everything by its environment.
enum ServeCommand {
    static let specification = ArgumentSpecification(
        command: "openledger serve", summary: "Runs one service, with its own database role, as a deployment does.", operands: ["SERVICE"],
        notes: """
            Services: ledger.

            Settings come from the environment, or from a file of KEY=value lines named by OPENLEDGER_CONFIG:
              OPENLEDGER_DATABASE           postgresql://openledger_ledger@host/name
              OPENLEDGER_DATABASE_PASSWORD  its password; better OPENLEDGER_DATABASE_PASSWORD_FILE
              OPENLEDGER_LOG_ORIGIN         the log's name: its public URL without a scheme
              OPENLEDGER_LOG_KEY_FILE       the key that signs checkpoints (openledger key FILE makes one)
              OPENLEDGER_LOG_OLD_KEY_FILES  earlier keys that sign along, newest first, separated by commas
              OPENLEDGER_JWKS               the public keys of all services
              OPENLEDGER_HOST, _PORT        where to listen; 127.0.0.1 and 7401 when left out
              OPENLEDGER_KAFKA              brokers, when events are to be published
              OPENLEDGER_KAFKA_PREFIX       the topic's prefix; openledger when left out
              OPENLEDGER_KAFKA_PROPERTIES   further settings of the Kafka client, name=value, separated by commas
              OPENLEDGER_WITNESSES          "<verifier key> <url>" of each witness, separated by commas
              OPENLEDGER_TRUSTED_PROXIES    addresses whose X-Forwarded-For is believed
              OPENLEDGER_LOG_LEVEL          trace, debug, info, warning or error
            """)

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        guard arguments.operands[0] == "ledger" else {
            throw UsageError("there is no service \(arguments.operands[0]) here; openledger serve --help lists them")
        }
        let settings = try Configuration.ofProcess()
        let logger = Logger(level: try settings.logLevel())
        let ledger = try await LedgerSettings.configured(settings)
        let verifier = try await TokenVerifier.configured(settings, audience: "ledger")
        let address = try ListenAddress.parse(
            host: settings.string("HOST", default: "127.0.0.1"), port: try settings.integer("PORT", in: 0...65_535, default: 7401))
        let options = try ServingOptions(settings)
        for key in settings.unknownKeys() { logger.warning("\(key) is no setting of this service") }
        try await RunningLedger.serve(
            ledger, authenticator: Authenticator(tokens: verifier, keys: nil, services: LedgerRoutes.services), at: [address],
            options: options, logger: logger
        ) { port, ledger in
            logger.info(ledger.isLeading ? "serves and leads" : "serves, and waits to lead", ["port": .integer(Int64(port))])
        }
        return 0
    }
}
