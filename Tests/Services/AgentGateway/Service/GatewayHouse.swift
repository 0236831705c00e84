import Web
import Telemetry
import AgentGatewayDomain
import AgentGatewayService
import Crypto
import Decisions
import EventLog
import Events
import HTTP
import HTTPClient
import Identity
import JSON
import LedgerService
import ServiceShell
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

/// The real gateway on a real ledger, with stand-ins for the services that it calls.
final class GatewayHouse: Sendable {
    struct Answer: Sendable {
        let status: Int
        let json: JSONValue
        /// The data of its events, for a stream.
        var events: [String] = []
        /// Where on the log what it decided stands, as the answer says.
        var position: UInt64?

        /// OpenAI's code of an error.
        var code: String? { json["error"]?["code"]?.stringValue }
        var text: String? { json["choices"]?.arrayValue?.first?["message"]?["content"]?.stringValue }
    }

    let house: ServiceHouse
    let standIns = StandIns()
    private let number = Mutex(0)

    init(_ house: ServiceHouse) { self.house = house }

    func next(_ kind: String) -> String {
        number.withLock { number in
            number += 1
            return "\(kind)-\(number)"
        }
    }

    /// Answers by another gateway of the same house while the body runs: one that knows of this one by log and database alone.
    func withAnother(_ body: @Sendable (AgentGatewayService) async throws -> Void) async throws {
        let other = try await AgentGatewayService.open(house.context(.agentGateway).with([:]))
        try house.mount([standIns.mount, other.mount], grants: [AgentGatewayService.grants], keys: other.apiKeys)
        let running = Task { await other.run() }
        do {
            try await eventually("the other knows the model") {
                try await call("GET", "/v1/models/acme/defi", token: try person()).status == 200
            }
            try await body(other)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }

    // MARK: Calls

    func request(_ method: String, _ path: String, token: String?, _ json: JSONValue?) -> ClientRequest {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(20))
        if let token { request.headers.set("Authorization", "Bearer " + token) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if method != "GET" { request.headers.set("Idempotency-Key", next("key")) }
        return request
    }

    func call(_ method: String, _ path: String, token: String?, _ json: JSONValue? = nil) async throws -> Answer {
        let response = try await house.transport.send(request(method, path, token: token, json))
        let bytes = try await response.body.collect(upTo: 1 << 23)
        return Answer(
            status: response.status, json: bytes.isEmpty ? .null : try JSON.parse(bytes, limits: JSONLimits(bytes: 1 << 23)),
            position: response.headers["Ledger-Position"].flatMap { UInt64($0) })
    }

    /// A conversation of one message.
    func chat(_ more: [(String, JSONValue)] = []) -> JSONValue {
        let usual: [(String, JSONValue)] = [
            ("model", "acme/defi"), ("messages", [["role": "user", "content": "What moves the pool?"]]), ("max_tokens", 20),
        ]
        return .object(JSONObject(usual.filter { old in !more.contains { $0.0 == old.0 } } + more))
    }

    func ask(_ token: String, _ more: [(String, JSONValue)] = []) async throws -> Answer {
        try await call("POST", "/v1/chat/completions", token: token, chat(more))
    }

    func stream(_ token: String, _ more: [(String, JSONValue)] = []) async throws -> Answer {
        let response = try await house.transport.send(
            request("POST", "/v1/chat/completions", token: token, chat([("stream", true)] + more)))
        guard response.status == 200 else {
            return Answer(status: response.status, json: try JSON.parse(try await response.body.collect(upTo: 1 << 20)))
        }
        var events: [String] = []
        for try await event in ServerSentEvents(response.body) { events.append(event.data) }
        return Answer(status: 200, json: .null, events: events)
    }

    func person(_ name: String = "ann") throws -> String { try house.token(name, scopes: ["inferences:write", "inferences:read"]) }

    // MARK: Principals

    func now() throws -> Timestamp { try house.context(.agentGateway).clock() }

    func signed(_ message: [UInt8], _ key: Ed25519PrivateKey) throws -> JSONValue { .string(Base64URL.encode(try key.sign(message))) }

    func did(_ key: Ed25519PrivateKey) -> String { DIDKey.text(for: key.publicKey) }

    func register(_ kind: String, _ key: Ed25519PrivateKey, owner: (id: String, key: Ed25519PrivateKey)? = nil) async throws -> Answer {
        let message = ProofMessages.registration(kind: kind, key: did(key), owner: owner?.id)
        return try await call(
            "POST", "/v1/principals", token: nil,
            .members([
                "kind": .string(kind), "key": .string(did(key)), "signature": try signed(message, key),
                "owner": owner.map { .string($0.id) }, "owner_key": owner.map { .string(did($0.key)) },
                "owner_signature": try owner.map { try signed(message, $0.key) },
            ]))
    }

    func signIn(
        _ id: String, _ key: Ed25519PrivateKey, time: Timestamp? = nil, signedFor other: String? = nil
    ) async throws -> Answer {
        let time = try time ?? now()
        let message = ProofMessages.signIn(principal: other ?? id, key: did(key), time: time)
        return try await call(
            "POST", "/v1/keys/token", token: nil,
            [
                "principal": .string(id), "key": .string(did(key)), "time": .string(time.description),
                "signature": try signed(message, key),
            ])
    }

    // MARK: The log

    func append(_ data: some EventData, by service: Service, stream: String) async throws {
        let command = next("cmd")
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(stream)), time: try now(), actor: "tester",
            cause: .command(id: command, digest: SHA256.hash(utf8: command)), ordinal: 0,
            correlation: "0af7651916cd43dd8448eb211c80319c",
            data: data.json)
        _ = try await house.ledger.client(for: service).append(AppendRequest(events: [event.encoded()]))
    }

    /// Publishes a model, and waits until the gateway knows it.
    func publish(_ model: ModelPublished) async throws {
        try await append(model, by: .training, stream: "model/" + model.model.split(separator: "/").joined(separator: "-"))
        let name = "\(model.model)@\(model.version)"
        try await eventually("\(name) is known") {
            try await call("GET", "/v1/models/" + name, token: try person()).status == 200
        }
    }

    /// Answers that stand on the log.
    func completed() async throws -> [InferenceCompleted] {
        try await house.ledger.client(for: .agentGateway).read(from: 0, limit: 1_000, wait: nil).events.compactMap { logged in
            let fact = try Fact(logged)
            return fact.type == InferenceCompleted.type ? try InferenceCompleted(fact.data.object()) : nil
        }
    }
}

extension ServiceContext {
    /// The same with settings of a test.
    func with(_ settings: [String: String]) -> ServiceContext {
        ServiceContext(
            service: service, log: log, database: database, peers: peers, signer: signer, folder: folder, shared: shared,
            settings: Configuration(settings), clock: clock, logger: logger, metrics: metrics)
    }
}

/// Runs the gateway, with the model `acme/defi` published, while the body runs.
/// - Parameters:
///   - settings: by their whole names.
///   - more: what is served beside the stand-ins.
func withGateway(
    settings: [String: String] = [:], more: [Mount] = [], _ body: @Sendable (GatewayHouse) async throws -> Void
) async throws {
    try await withGatewayService(settings: settings, more: more) { gateway, _ in try await body(gateway) }
}

/// The same, with the service itself.
func withGatewayService(
    settings: [String: String] = [:], more: [Mount] = [], _ body: @Sendable (GatewayHouse, AgentGatewayService) async throws -> Void
) async throws {
    try await withServiceHouse { house in
        let gateway = GatewayHouse(house)
        let service = try await AgentGatewayService.open(house.context(.agentGateway).with(settings))
        try house.mount([gateway.standIns.mount, service.mount] + more, grants: [AgentGatewayService.grants], keys: service.apiKeys)
        let running = Task { await service.run() }
        do {
            try await gateway.publish(try Terms.model())
            try await body(gateway, service)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}
