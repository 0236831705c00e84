import Crypto
import EventLog
import Foundation
import Identity
import Kafka
import LedgerService
import Postgres
import Telemetry
import Threads

extension LedgerSettings {
    /// The ledger's settings as a deployment gives them: see docs/operating.md.
    static func configured(_ settings: Configuration) async throws -> LedgerSettings {
        let paths =
            [
                try settings.required(
                    "LOG_KEY_FILE", "a file with the Ed25519 key (PEM) that signs checkpoints; make one with `openledger key FILE`")
            ] + (settings.list("LOG_OLD_KEY_FILES"))
        let keys = try await OSThread.run(name: "keys") { try paths.map { try KeyFile.load($0) } }
        let origin = try settings.required("LOG_ORIGIN", "the log's name: its public URL without a scheme, such as ledger.example.org/log")
        var ledger = LedgerSettings(
            database: try PostgresConfiguration.configured(settings), origin: origin, keys: keys,
            instance: settings.string("INSTANCE", default: ProcessInfo.processInfo.hostName))
        ledger.readers = try settings.integer("DATABASE_CONNECTIONS", in: 1...100, default: 4)
        try ledger.add(settings)
        return ledger
    }

    /// What embedded and deployed ledgers may both be told: witnesses and Kafka.
    mutating func add(_ settings: Configuration) throws {
        // Each witness is "<verifier key> <submission prefix>".
        for line in settings.list("WITNESSES") {
            let parts = line.split(separator: " ")
            guard parts.count == 2 else {
                throw ConfigurationError(key: "OPENLEDGER_WITNESSES", expected: "<verifier key> <url>, separated by commas", found: line)
            }
            witnesses.append((try VerifierKey(vkey: String(parts[0])), String(parts[1])))
        }
        if let (configuration, topic) = try KafkaConfiguration.configured(settings, client: "openledger-ledger") {
            kafka = (configuration, topic, try settings.integer("KAFKA_REPLICATION", in: 1...9, default: 1))
        }
    }
}

extension KafkaConfiguration {
    /// `OPENLEDGER_KAFKA` and what belongs to it: the brokers and the topic of the log's events; nil where none are named.
    static func configured(_ settings: Configuration, client: String) throws -> (KafkaConfiguration, topic: String)? {
        guard let brokers = settings.string("KAFKA") else { return nil }
        var properties: [String: String] = [:]
        for line in settings.list("KAFKA_PROPERTIES") {
            guard let equals = line.firstIndex(of: "=") else {
                throw ConfigurationError(key: "OPENLEDGER_KAFKA_PROPERTIES", expected: "name=value, separated by commas", found: line)
            }
            properties[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        if let password = try settings.secret("KAFKA_PASSWORD") { properties["sasl.password"] = password }
        return (
            KafkaConfiguration(brokers: brokers, clientID: client, properties: properties),
            settings.string("KAFKA_PREFIX", default: "openledger") + ".events"
        )
    }
}

extension PostgresConfiguration {
    /// `OPENLEDGER_DATABASE`, and its password apart.
    static func configured(_ settings: Configuration) throws -> PostgresConfiguration {
        let url = try settings.required("DATABASE", "the address of the database, postgresql://role@host/name")
        var configuration = try PostgresConfiguration(url: url)
        if let password = try settings.secret("DATABASE_PASSWORD") { configuration.password = password }
        return configuration
    }
}
