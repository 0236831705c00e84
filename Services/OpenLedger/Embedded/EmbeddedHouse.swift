import Crypto
import Events
import Foundation
import HTTPServer
import Identity
import LedgerService
import Postgres
import PrivatePostgres
import Projections
import ServiceShell
import Telemetry
import Threads
import Web

/// Embedded mode, opened: keys made or found, the private database running and up to date.
struct EmbeddedHouse: Sendable {
    let home: EmbeddedHome
    /// The administrator's key, on the first start only.
    let newAdministrator: APIKey?
    private let settings: Configuration
    private let places: [DiskSpace]
    private let cluster: PrivateCluster
    private let keys: EmbeddedHome.Keys
    private let apiKeys: FileAPIKeyStore

    /// Opens the folder and starts its database; `note` hears what is being done.
    /// - Throws: ``Interrupted`` where the wish to stop came meanwhile; what was started is stopped then.
    static func open(
        _ home: EmbeddedHome, _ settings: Configuration, note: @escaping @Sendable (String) -> Void
    ) async throws -> EmbeddedHouse {
        let places = [try DiskSpace("data", home.path, settings), try DiskSpace("shared", home.shared, settings)]
        for place in places { try place.insist() }
        let keys = try await OSThread.run(name: "home") { try home.open() }
        let (apiKeys, administrator) = try home.openAPIKeys()
        if Signals.isStopping { throw Interrupted() }
        let cluster = try await PrivateCluster.start(directory: home.postgres, options: ClusterOptions(stopsWithParent: true))
        do {
            if Signals.isStopping { throw Interrupted() }
            let owner = try PostgresConfiguration(url: cluster.url())
            try await Roles(owner).ensure(try Service.allCases.map { try Roles.Login(service: $0.schema, password: nil) })
            let applied = try await Migrator(owner, folder: try Migrations.folder(settings)).apply { note("migration \($0)") }
            if !applied.isEmpty { note("the database is up to date") }
            if Signals.isStopping { throw Interrupted() }
        } catch {
            try? await cluster.stop()
            throw error
        }
        return EmbeddedHouse(
            home: home, newAdministrator: administrator, settings: settings, places: places, cluster: cluster, keys: keys, apiKeys: apiKeys)
    }

    /// Serves all services until `stop` returns, then stops the database too.
    func serve(
        origin: String, services: [any RunnableService.Type] = ServiceList.all, at address: Address, options: ServingOptions,
        logger: Logger, until stop: @escaping @Sendable () async -> Void,
        onReady: @escaping @Sendable (_ port: Int, _ ledger: Ledger) async -> Void
    ) async throws {
        do {
            var ledger = LedgerSettings(
                database: try PostgresConfiguration(url: cluster.url(user: "openledger_ledger")), origin: origin, keys: keys.log,
                instance: "embedded")
            try ledger.add(settings)
            // One process, so a token that is meant for any of the services is meant for this one.
            let verifier = try TokenVerifier(
                issuers: try keys.tokens.byIssuer(), audiences: Set(Service.allCases.map(\.rawValue) + ["openledger"]))
            let house = RunningHouse(
                ledger: ledger, services: services, shared: home.shared, places: places, context: { try context($0.service, $1) },
                isGivenUp: { Signals.isStopping },
                prepare: { try await renew($0, $1) },
                authenticator: { [apiKeys] in
                    Authenticator(tokens: verifier, keys: APIKeyChain([apiKeys] + $1), services: $0, vouching: Vouching.house)
                },
                addresses: [address],
                options: options, logger: logger)
            try await house.serve(until: stop) { [apiKeys, newAdministrator] ready in
                guard let ledger = ready.ledger else { return }
                // Only now, when nothing stands between the key and who is to see it.
                if let newAdministrator { try await EmbeddedHome.keep(newAdministrator, in: apiKeys) }
                await onReady(ready.port, ledger)
            }
        } catch {
            try? await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    /// Makes rows anew that an older program made: there is no operator here who would.
    private func renew(_ type: any RunnableService.Type, _ context: ServiceContext) async throws {
        for model in try type.readModels(context) {
            let owner = try PostgresConfiguration(url: cluster.url())
            let rebuild = try ProjectionRebuild(model.projection, client: model.log, database: owner, logger: context.logger)
            guard try await rebuild.isDue() else { continue }
            let line = ProgressLine("the rows of \(model.projection.label) are made anew:", .standard)
            _ = try await rebuild.run { line.show(done: $0.next, total: $0.size, rate: $0.perSecond) }
            line.finish()
        }
    }

    private func context(_ service: Service, _ near: RunningHouse.Neighbourhood) throws -> ServiceContext {
        guard let ledger = near.ledger, let key = keys.services[service] else { throw CommandError("the embedded ledger is missing") }
        for path in [home.files(of: service), home.shared] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        let tokens = ServiceTokenSource(signer: TokenSigner(key: key, issuer: service.rawValue))
        return ServiceContext(
            service: service, log: ledger.client(for: service),
            database: try PostgresConfiguration(url: cluster.url(user: "openledger_" + service.schema)),
            peers: Peers(
                transport: near.transport, addresses: Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0, "http://embedded") }),
                token: { try await tokens.token(for: $0.rawValue) }),
            signer: TokenSigner(key: key, issuer: service.rawValue), folder: home.files(of: service), shared: home.shared,
            settings: settings, clock: { LedgerClock.system.now() },
            logger: near.logger.with(["service": .string(service.rawValue)]), metrics: near.metrics)
    }
}
