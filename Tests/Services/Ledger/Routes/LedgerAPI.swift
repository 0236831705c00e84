import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import HTTPServer
import Identity
import JSON
import LedgerService
import Telemetry
import TestSupport
import Testing
import Web

/// How a request reaches the ledger.
enum Door: String, CaseIterable, Sendable {
    case socket, inProcess
}

/// A ledger behind its routes, by one of the doors, every answer of which is held against the OpenAPI document.
struct LedgerAPI: Sendable {
    let ledger: Ledger
    let transport: any Transport
    let base: String
    let conformance: OpenAPIConformance
    fileprivate let keys: [Service: Ed25519PrivateKey]

    /// A person's API key with all scopes that there are.
    let person: String

    struct Answer {
        let status: Int
        let headers: Headers
        let bytes: [UInt8]
        var json: JSONValue { (try? JSON.parse(bytes)) ?? .null }
        var text: String { String(decoding: bytes, as: UTF8.self) }
        /// The code of the problem.
        var problem: String? { json["type"]?.stringValue.map { String($0.dropFirst("/problems/".count)) } }
    }

    /// A token that a service signs for itself.
    func token(_ service: Service, audience: String = "ledger", key: Ed25519PrivateKey? = nil) throws -> String {
        let key = try key ?? #require(keys[service])
        return try TokenSigner(key: key, issuer: service.rawValue)
            .mint(subject: service.rawValue, audience: audience, kind: .service, scopes: [], lifetime: 3_600)
    }

    /// The log as that service has it over this door.
    func client(_ service: Service) throws -> HTTPLogClient {
        let token = try token(service)
        return HTTPLogClient(transport: transport, base: base + "/log") { token }
    }

    func get(_ path: String, token: String? = nil, headers: Headers = [:]) async throws -> Answer {
        try await send(ClientRequest(url: base + path, headers: headers), token: token)
    }

    func post(_ path: String, _ body: [UInt8], token: String? = nil, type: String = "application/json") async throws -> Answer {
        try await send(ClientRequest(method: "POST", url: base + path, headers: ["Content-Type": type], body: .bytes(body)), token: token)
    }

    private func send(_ request: ClientRequest, token: String?) async throws -> Answer {
        var request = request
        if let token { request.headers.set("Authorization", "Bearer " + token) }
        let response = try await transport.send(request)
        return Answer(status: response.status, headers: response.headers, bytes: try await response.body.collect(upTo: 64 << 20))
    }

    /// Waits until a checkpoint covers the whole log, and returns it, verified.
    func checkpoint() async throws -> SignedCheckpoint {
        let size = ledger.tail.size
        try await eventually("a checkpoint of \(size)") {
            let answer = try await get("/log/checkpoint")
            return try answer.status == 200 && SignedCheckpoint(unverified: answer.text).checkpoint.size >= size
        }
        return try SignedCheckpoint(parsing: try await get("/log/checkpoint").text, keys: ledger.verifierKeys)
    }
}

/// Runs the body over a fresh log behind one of the doors; every answer must be as the OpenAPI document says.
func withLedgerAPI(
    _ door: Door, settings: (@Sendable (inout LedgerSettings) -> Void)? = nil, server options: Options = Options(),
    database given: LedgerDatabase? = nil, _ body: @Sendable (LedgerAPI) async throws -> Void
) async throws {
    guard let database = given else {
        return try await withLedgerDatabase {
            try await withLedgerAPI(door, settings: settings, server: options, database: $0, body)
        }
    }
    var configured = try database.settings()
    settings?(&configured)
    try await database.withLedger(configured) { ledger in
        let keys = try Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0, try Ed25519PrivateKey.generate()) })
        let issuers = try PublicKeySet(keys.map { PublicKeySet.Entry(key: $0.value.publicKey, issuer: $0.key.rawValue) }).byIssuer()
        let person = APIKey.generate()
        let caller = Caller(subject: "ann", issuer: "test", kind: .person, scopes: ["log:read", "log:append", "metrics:read"])
        let authenticator = Authenticator(
            tokens: try TokenVerifier(issuers: issuers, audience: "ledger"),
            keys: MemoryAPIKeyStore([APIKeyRecord(hash: person.hash, caller: caller)]), services: LedgerRoutes.services)
        let application = try Application(
            name: "OpenLedger", version: "0", mounts: [LedgerRoutes(ledger).mount], authenticator: authenticator, log: .silent,
            metrics: Metrics())
        let conformance = OpenAPIConformance(application)
        var server: Server?
        let transport: any Transport
        switch door {
        case .inProcess: transport = InProcessTransport(handler: conformance.handler)
        case .socket:
            var options = options
            options.limits.body = 32 << 20
            server = try Server(.ipv4("127.0.0.1", port: 0), options: options, handler: conformance.handler)
            transport = try CurlTransport()
        }
        let api = LedgerAPI(
            ledger: ledger, transport: transport, base: server.map { "http://127.0.0.1:\($0.port)" } ?? "http://ledger.internal",
            conformance: conformance, keys: keys, person: person.reveal())
        do { try await body(api) } catch {
            await server?.stop(grace: .zero)
            throw error
        }
        await server?.stop(grace: .zero)
        #expect(conformance.violations == [])
    }
}
