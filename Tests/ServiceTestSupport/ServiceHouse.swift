import EventLog
public import Events
public import HTTPClient
import HTTPServer
public import Identity
public import LedgerService
import Postgres
public import ServiceShell
public import Telemetry
public import TestSupport
public import Web
import Crypto
import Foundation
import HTTP
import Synchronization
import Threads

/// A real ledger on a real database, and everything that services of a test need around them. The services share one application
/// over an in-process transport, as in the embedded mode.
public final class ServiceHouse: Sendable {
    /// The leading ledger.
    public let ledger: Ledger
    /// The folder under which services keep their files.
    public let folder: String
    /// The owner's way into the database.
    public let database: TestDatabase
    /// Carries requests to the mounted application; see ``mount(_:)``.
    public let transport: InProcessTransport
    /// What the ledger and the services take for the present.
    public let clock: MovableClock
    private let password: String
    private let handler: HandlerBox
    private let signers: [Service: TokenSigner]
    private let people: TokenSigner
    private let verifier: TokenVerifier

    /// Requests go to whatever application is mounted at the moment.
    private final class HandlerBox: Sendable {
        /// A bare function in a generic box is wrapped once more whenever the box is opened, and each call goes through all the wraps.
        private struct Door { let handler: Handler }
        private let door = Mutex(Door { _ in Response(status: 503) })

        func open(_ handler: @escaping Handler) { door.withLock { $0 = Door(handler: handler) } }

        func answer(_ request: Request) async throws -> Response { try await door.withLock { $0 }.handler(request) }
    }

    init(ledger: Ledger, clock: MovableClock, database: TestDatabase, folder: String, password: String) throws {
        self.ledger = ledger
        self.clock = clock
        self.database = database
        self.folder = folder
        self.password = password
        let box = HandlerBox()
        handler = box
        transport = InProcessTransport { try await box.answer($0) }
        var issuers: [String: PublicKeySet] = [:]
        var signers: [Service: TokenSigner] = [:]
        for service in Service.allCases {
            let key = try Ed25519PrivateKey.generate()
            signers[service] = TokenSigner(key: key, issuer: service.rawValue)
            issuers[service.rawValue] = try PublicKeySet([PublicKeySet.Entry(key: key.publicKey, issuer: service.rawValue)])
        }
        let key = try Ed25519PrivateKey.generate()
        people = TokenSigner(key: key, issuer: "people")
        issuers["people"] = try PublicKeySet([PublicKeySet.Entry(key: key.publicKey, issuer: "people")])
        self.signers = signers
        verifier = try TokenVerifier(issuers: issuers, audiences: Set(Service.allCases.map(\.rawValue) + ["openledger"]))
    }

    /// What a service of the house is given.
    public func context(_ service: Service, logger: Logger = .silent) throws -> ServiceContext {
        let own = folder + "/" + service.rawValue
        let shared = folder + "/shared"
        for path in [own, shared] { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        guard let signer = signers[service] else { throw HouseError() }
        let tokens = ServiceTokenSource(signer: signer)
        return ServiceContext(
            service: service, log: ledger.client(for: service),
            database: try PostgresConfiguration(url: database.url(user: "openledger_\(service.role)", password: password)),
            peers: Peers(
                transport: transport, addresses: Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0, "http://house") }),
                token: { _ in try await tokens.token(for: "openledger") }),
            signer: signer, folder: own, shared: shared, settings: Configuration([:]), clock: { [clock] in clock.now() }, logger: logger,
            metrics: Metrics())
    }

    /// Serves these mounts from now on, in place of earlier ones.
    /// - Parameters:
    ///   - grants: what services may do at one another, as the services say.
    ///   - keys: the API keys that count.
    public func mount(_ mounts: [Mount], grants: [[String: Set<String>]] = [], keys: (any APIKeyStore)? = nil) throws {
        var services: [String: Set<String>] = [:]
        for table in grants { services.merge(table) { $0.union($1) } }
        let application = try Application(
            name: "test", version: "0", mounts: mounts,
            authenticator: Authenticator(tokens: verifier, keys: keys, services: services, vouching: Vouching.house),
            log: .silent, metrics: Metrics())
        handler.open(application.handler)
    }

    /// Serves the mounted application over a socket as well, for programs beside the test, while the body runs.
    public func withSocket<Result: Sendable>(_ body: @Sendable (_ url: String) async throws -> Result) async throws -> Result {
        let box = handler
        let server = try Server(.ipv4("127.0.0.1", port: 0)) { try await box.answer($0) }
        do {
            let result = try await body("http://127.0.0.1:\(server.port)")
            await server.stop(grace: .zero)
            return result
        } catch {
            await server.stop(grace: .zero)
            throw error
        }
    }

    /// A token of a person, agent or organisation.
    /// - Parameter now: the second since 1970 in which it says that it was made.
    public func token(
        _ subject: String, kind: Caller.Kind = .person, scopes: Set<String> = [], now: Int64 = UnixTime.now
    ) throws -> String {
        try people.mint(subject: subject, audience: "openledger", kind: kind, scopes: scopes, lifetime: 3_600, now: now)
    }
}

private struct HouseError: Error {}

extension Service {
    /// Its database role's and schema's name.
    var role: String { rawValue.split(separator: "-").joined(separator: "_") }
}

/// Gives the body a house with a leading ledger, on a database of its own with every service's migrations applied.
public func withServiceHouse<Result: Sendable>(_ body: @Sendable (ServiceHouse) async throws -> Result) async throws -> Result {
    let password = "house test"
    let logins = try Service.allCases.map { try Roles.Login(service: $0.role, password: password) }
    return try await withDatabase(
        template: "house",
        prepare: { database in
            try await Roles(database.configuration).ensure(logins)
            _ = try await Migrator(database.configuration, folder: TestInput.migrations).apply()
        }
    ) { database in
        try await Roles(database.configuration).ensure(logins)
        let folder = try TemporaryFolder("house")
        let settings = LedgerSettings(
            database: try PostgresConfiguration(url: database.url(user: "openledger_ledger", password: password)),
            origin: "test.example/log", keys: [try Ed25519PrivateKey.generate()], instance: "test")
        let clock = MovableClock()
        let ledger = try await Ledger.make(
            settings, transport: try CurlTransport(), logger: .silent, metrics: Metrics(), clock: LedgerClock { clock.now() })
        let running = Task { await ledger.run() }
        do {
            try await eventually("the ledger leads") { ledger.isLeading }
            let result = try await body(
                ServiceHouse(ledger: ledger, clock: clock, database: database, folder: folder.path, password: password))
            running.cancel()
            await running.value
            return result
        } catch {
            running.cancel()
            await running.value
            throw error
        }
    }
}
