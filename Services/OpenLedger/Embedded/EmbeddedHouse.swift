import Crypto
import HTTPServer
import Identity
import LedgerService
import Postgres
import PrivatePostgres
import Telemetry
import Threads
import Web

/// Embedded mode, opened: keys made or found, the private database running and up to date.
struct EmbeddedHouse: Sendable {
    let home: EmbeddedHome
    /// The administrator's key, on the first start only.
    let newAdministrator: APIKey?
    private let settings: Configuration
    private let cluster: PrivateCluster
    private let logKeys: [Ed25519PrivateKey]
    private let authenticator: Authenticator

    /// Opens the folder and starts its database; `note` hears what is being done.
    static func open(
        _ home: EmbeddedHome, _ settings: Configuration, note: @escaping @Sendable (String) -> Void
    ) async throws -> EmbeddedHouse {
        let opened = try await OSThread.run(name: "home") { try home.open() }
        let (apiKeys, administrator) = try await home.openAPIKeys()
        let verifier = try TokenVerifier(issuers: try opened.tokens.byIssuer(), audience: "ledger")
        let cluster = try await PrivateCluster.start(directory: home.postgres, options: ClusterOptions(stopsWithParent: true))
        do {
            let owner = try PostgresConfiguration(url: cluster.url())
            try await Roles(owner).ensure([try Roles.Login(service: "ledger", password: nil)])
            let applied = try await Migrator(owner, folder: try Migrations.folder(settings)).apply { note("migration \($0)") }
            if !applied.isEmpty { note("the database is up to date") }
        } catch {
            try? await cluster.stop()
            throw error
        }
        return EmbeddedHouse(
            home: home, newAdministrator: administrator, settings: settings, cluster: cluster, logKeys: opened.logKeys,
            authenticator: Authenticator(tokens: verifier, keys: apiKeys, services: LedgerRoutes.services))
    }

    /// Serves all services until `stop` returns, then stops the database too.
    func serve(
        origin: String, at address: Address, options: ServingOptions, logger: Logger, until stop: @Sendable () async -> Void,
        onReady: @escaping @Sendable (_ port: Int, _ ledger: Ledger) async -> Void
    ) async throws {
        do {
            var ledger = LedgerSettings(
                database: try PostgresConfiguration(url: cluster.url(user: "openledger_ledger")), origin: origin, keys: logKeys,
                instance: "embedded")
            try ledger.add(settings)
            try await RunningLedger.serve(
                ledger, authenticator: authenticator, at: [address], options: options, logger: logger, until: stop, onReady: onReady)
        } catch {
            try? await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }
}
