import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import Identity
import JSON
import Postgres
import PrivatePostgres
import Synchronization
import TestSupport
import Threads

/// What a deployment has around the program: a durable PostgreSQL that is migrated, the log's key, a key for each
/// service and their public halves in one file.
final class House: Sendable {
    static let origin = "survival.example/log"

    let cluster: PrivateCluster
    let folder: TemporaryFolder
    let logKey: Ed25519PrivateKey
    let verifier: VerifierKey
    let transport: CurlTransport
    private let serviceKeys: [Service: Ed25519PrivateKey]
    private let started: Lock<[LedgerProcess]> = Lock([])

    /// Opens a house, and leaves nothing of it behind.
    static func with<Result>(_ body: (House) async throws -> Result) async throws -> Result {
        let folder = try TemporaryFolder("house")
        let cluster = try await PrivateCluster.start(
            directory: folder.path("postgres"), options: ClusterOptions(settings: ["autovacuum": "off"]))
        let outcome: Result
        do {
            let house = try House(folder: folder, cluster: cluster)
            do {
                try await house.migrate()
                outcome = try await body(house)
            } catch {
                throw Unfit(
                    "\(error)" + house.started.withLock { $0 }.map { "\n\($0.name) said:\n\($0.child.output.suffix(2_000))" }.joined())
            }
            // They and the house hold each other.
            house.started.withLock { $0 = [] }
            await house.transport.close()
        } catch {
            try? await cluster.stop(mode: .immediate)
            throw error
        }
        try await cluster.stop(mode: .immediate)
        return outcome
    }

    private init(folder: TemporaryFolder, cluster: PrivateCluster) throws {
        self.folder = folder
        self.cluster = cluster
        logKey = try KeyFile.loadOrCreate(folder.path("log.pem"))
        guard let verifier = VerifierKey(name: Self.origin, publicKey: logKey.publicKey.rawBytes) else { throw Unfit("log origin") }
        self.verifier = verifier
        transport = try CurlTransport(options: CurlOptions(maximumConnectionsPerHost: 256))
        var keys: [Service: Ed25519PrivateKey] = [:]
        var known = try PublicKeySet()
        for service in Service.allCases {
            let key = try Ed25519PrivateKey.generate()
            keys[service] = key
            try known.add(PublicKeySet.Entry(key: key.publicKey, issuer: service.rawValue))
        }
        try known.save(folder.path("jwks.json"))
        serviceKeys = keys
    }

    /// Schema and roles, by the program itself.
    private func migrate() async throws {
        let migration = try await ChildProcess(
            ["migrate"], environment: ["OPENLEDGER_DATABASE": cluster.url(), "OPENLEDGER_LEDGER_ROLE_PASSWORD": "survival"])
        let status = await migration.process.wait()
        guard status.isSuccess else { throw Unfit("openledger migrate: \(status)\n\(migration.output)") }
    }

    /// Signs as a service.
    func signer(_ service: Service) throws -> TokenSigner {
        guard let key = serviceKeys[service] else { throw Unfit("no key of \(service)") }
        return TokenSigner(key: key, issuer: service.rawValue)
    }

    /// The public half of a service's key.
    func publicKey(_ service: Service) throws -> Ed25519PublicKey {
        guard let key = serviceKeys[service] else { throw Unfit("no key of \(service)") }
        return key.publicKey
    }

    /// A file with the key that a service signs its tokens by.
    func keyFile(_ service: Service) throws -> String {
        guard let key = serviceKeys[service] else { throw Unfit("no key of \(service)") }
        let path = folder.path("\(service.rawValue).pem")
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(try key.pem().utf8), attributes: [.posixPermissions: 0o600])
        guard made else { throw Unfit("cannot write \(path)") }
        return path
    }

    /// Starts a ledger and waits until it answers that it is ready.
    /// - Parameter port: a free one when left out.
    func startLedger(
        _ name: String = "ledger", port: Int? = nil, environment: [String: String] = [:], awaitReady: Bool = true
    ) async throws -> LedgerProcess {
        let port = try port ?? freePort()
        var all = [
            "OPENLEDGER_DATABASE": cluster.url(user: "openledger_ledger"), "OPENLEDGER_LOG_ORIGIN": Self.origin,
            "OPENLEDGER_LOG_KEY_FILE": folder.path("log.pem"), "OPENLEDGER_JWKS": folder.path("jwks.json"), "OPENLEDGER_PORT": "\(port)",
            "OPENLEDGER_INSTANCE": name, "OPENLEDGER_ACCESS_LOG": "false", "OPENLEDGER_METRICS_FROM_LOOPBACK": "true",
        ]
        all.merge(environment) { _, given in given }
        let process = try await ChildProcess(["serve", "ledger"], environment: all)
        let ledger = LedgerProcess(house: self, name: name, port: port, child: process, environment: environment)
        started.withLock { $0.append(ledger) }
        try await process.waitUntilReady(ledger.url + (awaitReady ? "/readyz" : "/healthz"))
        return ledger
    }

    /// Runs one of the program's commands to its end.
    /// - Parameter more: arguments after the others.
    func run(_ arguments: String..., more: [String] = [], limit: Duration = .seconds(60)) async throws -> (status: ExitStatus, output: String) {
        let child = try await ChildProcess(arguments + more)
        guard let status = await child.process.wait(atMost: limit) else {
            await child.kill()
            throw Unfit("\(arguments) did not end\n\(child.output)")
        }
        return (status, child.output)
    }

    /// The database as its owner sees it.
    func withOwner<Result>(_ body: (PostgresConnection) async throws -> Result) async throws -> Result {
        try await withConnection(try PostgresConfiguration(url: cluster.url()), body)
    }

    /// The database as the ledger's role sees it.
    func withLedgerRole<Result>(_ body: (PostgresConnection) async throws -> Result) async throws -> Result {
        try await withConnection(try PostgresConfiguration(url: cluster.url(user: "openledger_ledger")), body)
    }

    /// Runs `body` while every commit of events must wait; they go on when it returns.
    func holdingCommits<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await withOwner { owner in
            try await owner.transaction { transaction in
                try await transaction.execute("lock table ledger.events in share mode")
                return try await body()
            }
        }
    }

    /// Connections of writers that wait for a lock: the lead, or commits that are held.
    func waitingWriters() async throws -> Int64 {
        try await withOwner { owner in
            try await owner.execute(
                "select count(*) from pg_stat_activity where application_name = 'openledger-writer' and wait_event_type = 'Lock'"
            ).one().int(0)
        }
    }

    func withConnection<Result>(_ configuration: PostgresConfiguration, _ body: (PostgresConnection) async throws -> Result) async throws
        -> Result
    {
        let connection = try await PostgresConnection.connect(configuration)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// The test itself can't go on.
struct Unfit: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
