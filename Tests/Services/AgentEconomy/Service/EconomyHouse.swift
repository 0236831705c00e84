import AgentEconomyDomain
import AgentGatewayDomain
import AgentGatewayService
import BillingDomain
import BillingService
import Crypto
import Decisions
import EventLog
import Events
import HTTP
import HTTPClient
import Identity
import JSON
import LedgerService
import Money
import Replay
import ServiceShell
import ServiceTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing
import Web

/// The real gateway and the real billing on a real ledger. The model server alone is a stand-in: it says one word, or waits.
final class EconomyHouse: Sendable {
    struct Answer: Sendable {
        let status: Int
        let json: JSONValue
        let headers: Headers

        func text(_ path: String...) -> String? { path.reduce(Optional(json)) { $0?[$1] }?.stringValue }
        var code: String? {
            json["type"]?.stringValue.map { String($0.split(separator: "/").last ?? "") } ?? json["error"]?["code"]?.stringValue
        }
    }

    /// Somebody with a key.
    struct Party: Sendable {
        let id: String
        let key: Ed25519PrivateKey
        let token: String
        var did: String { DIDKey.text(for: key.publicKey) }

        func sign(_ lines: String...) throws -> JSONValue {
            ["key": .string(did), "signature": .string(Base64URL.encode(try key.sign(Array(lines.joined(separator: "\n").utf8))))]
        }
    }

    let house: ServiceHouse
    private let number = Mutex(0)
    /// Whether the model waits until whoever asked has gone, or may go on.
    let waits = Mutex(false)
    /// Whether it says something before that.
    let begins = Mutex(false)
    /// Whether it breaks off after that.
    let breaks = Mutex(false)
    let asked = Mutex(0)
    /// Lets one of the gateways answer from now on.
    let serving = Mutex<@Sendable (Int) throws -> Void>({ _ in })

    init(_ house: ServiceHouse) { self.house = house }

    func next(_ kind: String) -> String {
        number.withLock { number in
            number += 1
            return "\(kind)-\(number)"
        }
    }

    func call(
        _ method: String, _ path: String, _ token: String?, _ json: JSONValue? = nil, headers: [String: String] = [:], key: String? = nil
    ) async throws -> Answer {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(60))
        if let token { request.headers.set("Authorization", "Bearer " + token) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if method != "GET", !path.hasPrefix("/mcp") { request.headers.set("Idempotency-Key", key ?? next("key")) }
        for (name, value) in headers { request.headers.set(name, value) }
        let response = try await house.transport.send(request)
        let bytes = try await response.body.collect(upTo: 1 << 22)
        return Answer(status: response.status, json: bytes.isEmpty ? .null : try JSON.parse(bytes), headers: response.headers)
    }

    func ok(
        _ method: String, _ path: String, _ token: String?, _ json: JSONValue? = nil, headers: [String: String] = [:], key: String? = nil
    ) async throws -> JSONValue {
        let answer = try await call(method, path, token, json, headers: headers, key: key)
        try #require((200..<300).contains(answer.status), "\(method) \(path): \(answer.status) \(answer.json)")
        return answer.json
    }

    /// Posts a form.
    func form(_ path: String, _ body: String) async throws -> Answer {
        var request = ClientRequest(method: "POST", url: "http://house" + path, timeout: .seconds(60))
        request.headers.set("Content-Type", "application/x-www-form-urlencoded")
        request.body = .bytes(Array(body.utf8))
        let response = try await house.transport.send(request)
        let bytes = try await response.body.collect(upTo: 1 << 22)
        return Answer(status: response.status, json: bytes.isEmpty ? .null : try JSON.parse(bytes), headers: response.headers)
    }

    static func amount(_ units: Int) -> JSONValue { ["asset": "USDC/6", "amount": .string(String(units))] }

    // MARK: Who there is

    private static let scopes: Set<String> = ["agents:write", "inferences:write", "inferences:read", "accounts:read", "attributions:read"]

    func register(_ kind: String, owner: Party? = nil) async throws -> Party {
        let key = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: key.publicKey)
        let message = Array("openledger/register\n\(kind)\n\(did)\n\(owner?.id ?? "")".utf8)
        let registered = try await ok(
            "POST", "/v1/principals", nil,
            .members([
                "kind": .string(kind), "key": .string(did), "signature": .string(Base64URL.encode(try key.sign(message))),
                "owner": owner.map { .string($0.id) }, "owner_key": owner.map { .string($0.did) },
                "owner_signature": try owner.map { .string(Base64URL.encode(try $0.key.sign(message))) },
            ]))
        let id = try #require(registered["principal"]?.stringValue)
        return Party(
            id: id, key: key, token: try house.token(id, kind: kind == "agent" ? .agent : .person, scopes: Self.scopes))
    }

    var administrator: String {
        get throws { try house.token("root", scopes: ["billing:admin", "billing:deposit", "billing:read", "billing:verify"]) }
    }

    /// A person with so much on their account.
    func person(_ units: Int) async throws -> Party {
        let person = try await register("person")
        let token = try administrator
        _ = try await ok("POST", "/v1/accounts", token, ["account": .string("payer:" + person.id), "asset": "USDC/6"])
        if units > 0 {
            _ = try await ok(
                "POST", "/v1/accounts/payer:\(person.id)/deposits", token,
                ["amount": Self.amount(units), "rail": "bank", "reference": .string("ref-" + person.id)])
        }
        return person
    }

    func figure(_ account: String, _ name: String) async throws -> Int {
        let answer = try await call("GET", "/v1/accounts/" + account, try administrator)
        guard answer.status == 200 else { return 0 }
        return answer.json["assets"]?.arrayValue?.first?[name]?["amount"]?.stringValue.flatMap { Int($0) } ?? 0
    }

    // MARK: Mandates and tasks

    func grant(_ from: Party, _ to: Party, _ budget: Int, parent: String? = nil, more: [(String, JSONValue)] = []) async throws -> String {
        let terms: [(String, JSONValue)] = [
            ("budget", Self.amount(budget)), ("period", "once"), ("expires", "2099-01-01T00:00:00.000000Z"),
        ]
        let granted = try await ok(
            "POST", "/v1/mandates", from.token,
            .members(["agent": .string(to.id), "parent": parent.map { .string($0) }, "terms": .object(JSONObject(terms + more))]))
        return try #require(granted["mandate"]?.stringValue)
    }

    func now() throws -> Timestamp { try house.context(.agentGateway).clock() }

    func deadline(_ seconds: Int64 = 3_600) throws -> JSONValue {
        .string(Timestamp(microseconds: try now().microseconds + seconds * 1_000_000).description)
    }

    func open(
        _ client: Party, _ provider: Party, _ units: Int, _ more: [(String, JSONValue)] = []
    ) async throws -> String {
        let usual: [(String, JSONValue)] = [
            ("provider", .string(provider.id)), ("brief", "Count the tides"), ("amount", Self.amount(units)), ("deadline", try deadline()),
        ]
        let opened = try await ok(
            "POST", "/v1/tasks", client.token, .object(JSONObject(usual.filter { old in !more.contains { $0.0 == old.0 } } + more)))
        return try #require(opened["task"]?.stringValue)
    }

    func fund(_ client: Party, _ task: String, _ units: Int, headers: [String: String] = [:]) async throws -> Answer {
        try await call("POST", "/v1/tasks/\(task)/funding", client.token, ["amount": Self.amount(units)], headers: headers)
    }

    static let hash = SHA256.hash(utf8: "the work").prefixed

    func submit(_ provider: Party, _ task: String, milestone: Int = 0, isSigned: Bool = true) async throws {
        let signature = isSigned ? Optional(try provider.sign("openledger/task-submission", task, String(milestone), Self.hash)) : .none
        _ = try await ok(
            "POST", "/v1/tasks/\(task)/submission", provider.token,
            .members(["artefacts": [["hash": .string(Self.hash), "bytes": 8, "media": "text/plain"]], "signature": signature]))
    }

    func complete(_ judge: Party, _ task: String, milestone: Int = 0, isSigned: Bool = true) async throws -> JSONValue {
        let signature = isSigned ? Optional(try judge.sign("openledger/task-completion", task, String(milestone), Self.hash)) : .none
        return try await ok("POST", "/v1/tasks/\(task)/completion", judge.token, .members(["signature": signature]))
    }

    // MARK: The log

    func events() async throws -> [LoggedEvent] {
        var all: [LoggedEvent] = []
        while true {
            let batch = try await house.ledger.client(for: .billing).read(from: UInt64(all.count), limit: 1_000, wait: nil)
            all += batch.events
            if batch.events.isEmpty { return all }
        }
    }

    func all<Payload: EventData>(_ type: Payload.Type) async throws -> [Payload] {
        try await events().compactMap { logged in
            let fact = try Fact(logged)
            return fact.type == Payload.type ? try Payload(fact.data.object()) : nil
        }
    }

    /// Replays the whole log as an auditor does, with every settlement computed again.
    func audit() async throws {
        var state = BillingState(recomputes: true)
        for logged in try await events() {
            let fact = try Fact(logged)
            if BillingState.concerns(fact.type) { try state.apply(fact) }
        }
        for (asset, total) in try state.journal.totals() { #expect(total.isZero, "\(asset)") }
        let facts = try await events().map { try Fact($0) }
        for report in [try await Self.replay(facts), try await Self.replay(facts, GatewayLaw(Self.shelf))] {
            #expect(report.faults.isEmpty && report.events > 0, "\(report.faults)")
            // Nothing of it is left without a rule.
            #expect(!report.gaps.contains { $0.gap.what.hasPrefix("events of type") }, "\(report.gaps)")
        }
    }

    private static let shelf = EvidenceShelf(NoEvidence())

    /// Decides the economy's events again, or the gateway's others.
    static func replay(_ facts: [Fact], _ law: some ReplayLaw = EconomyLaw()) async throws -> ServiceReport {
        let replay = ServiceReplay(law, evidence: shelf)
        await replay.take(facts.enumerated().map { ReplayFact($1, position: UInt64($0)) })
        return await replay.finish(isWhole: true)
    }

    /// An event as it stands, with other data.
    static func altered(_ logged: LoggedEvent, _ data: some EventData) throws -> Fact {
        let fact = try Fact(logged)
        let event = Event(
            type: fact.type, stream: fact.stream, time: fact.time, actor: fact.actor, cause: fact.cause, ordinal: 0,
            correlation: fact.correlation, data: data.json)
        return try Fact(LoggedEvent(position: logged.position, version: logged.version, bytes: try event.encoded()))
    }

    func append(_ data: some EventData, by service: Service, stream: String) async throws {
        let command = next("cmd")
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(stream)), time: try now(), actor: "tester",
            cause: .command(id: command, digest: SHA256.hash(utf8: command)), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
            data: data.json)
        _ = try await house.ledger.client(for: service).append(AppendRequest(events: [event.encoded()]))
    }

    /// A model `acme/tides` that costs 10 for a request, and is known.
    func publishModel() async throws {
        try await append(try Terms.model("acme/tides", owner: "acme", request: 10), by: .training, stream: "model/acme-tides")
        try await eventually("the model is known") {
            try await call("GET", "/v1/models/acme/tides", try house.token("x")).status == 200
        }
    }

    func ask(_ caller: Party, headers: [String: String] = [:]) async throws -> Answer {
        try await call(
            "POST", "/v1/chat/completions", caller.token,
            ["model": "acme/tides", "messages": [["role": "user", "content": "Tides?"]], "max_tokens": 5], headers: headers)
    }

    var runner: Mount {
        Mount(
            "stand-in",
            routes: [
                Route(
                    .post, "/runner/v1/chat/completions", operation: "standInChat", summary: "A stand-in for the runner.",
                    access: .authenticated, body: .json(.openObject(), limit: 8 << 20), replies: [.events("Chunks.")]
                ) { [self] _ in
                    asked.withLock { $0 += 1 }
                    return Response(
                        headers: ServerSentEvent.replyHeaders,
                        body: .stream { [self] writer in
                            if begins.withLock({ $0 }) {
                                let piece = #"{"choices":[{"index":0,"delta":{"content":"Once. "},"finish_reason":null}]}"#
                                try await writer.write(ServerSentEvent(data: piece).bytes)
                            }
                            if breaks.withLock({ $0 }) { throw BrokenOff() }
                            while waits.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
                            let word = #"{"choices":[{"index":0,"delta":{"content":"Twice."},"finish_reason":"stop"}],"#
                            try await writer.write(
                                ServerSentEvent(data: word + #""usage":{"prompt_tokens":3,"completion_tokens":1}}"#).bytes)
                            try await writer.write(ServerSentEvent(data: "[DONE]").bytes)
                        })
                }
            ])
    }
}

private struct BrokenOff: Error {}

/// Runs gateway and billing while the body runs.
/// - Parameters:
///   - settings: of the gateway.
///   - count: how many gateways there are; the first answers until another is told to.
func withEconomy(settings: [String: String] = [:], gateways count: Int = 1, _ body: @Sendable (EconomyHouse) async throws -> Void)
    async throws
{
    try await withServiceHouse { house in
        let economy = EconomyHouse(house)
        let given = try house.context(.agentGateway)
        var opened: [AgentGatewayService] = []
        for _ in 0..<count {
            opened.append(
                try await AgentGatewayService.open(
                    ServiceContext(
                        service: given.service, log: given.log, database: given.database, peers: given.peers, signer: given.signer,
                        folder: given.folder, shared: given.shared, settings: Configuration(settings), clock: given.clock,
                        logger: given.logger, metrics: given.metrics)))
        }
        let gateways = opened
        let billing = try await BillingService.open(house.context(.billing))
        let serve: @Sendable (Int) throws -> Void = { [runner = economy.runner] number in
            try house.mount(
                [runner, gateways[number].mount, billing.mount], grants: [AgentGatewayService.grants, BillingService.grants],
                keys: gateways[number].apiKeys)
        }
        try serve(0)
        economy.serving.withLock { $0 = serve }
        let running = Task {
            await withTaskGroup(of: Void.self) { group in
                for gateway in gateways { group.addTask { await gateway.run() } }
                group.addTask { await billing.run() }
                await group.waitForAll()
            }
        }
        do { try await body(economy) } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}

/// The economy's events name no evidence.
private struct NoEvidence: EvidenceReader {
    func find(_ digest: Digest) -> [UInt8]? { nil }
}
