import BillingService
import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import JSON
import LedgerService
import Money
import ServiceShell
import ServiceTestSupport
import Telemetry
import TestSupport
import Testing
import Web

/// A billing service that runs on a real ledger, and hands to use it.
struct Desk: Sendable {
    let house: ServiceHouse
    let service: BillingService
    let admin: String

    func raw(_ method: String, _ path: String, _ json: JSONValue?, key: String?, token: String? = nil, after: String? = nil) async throws
        -> (
            status: Int, body: [UInt8]
        )
    {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(20))
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if let key { request.headers.set("Idempotency-Key", key) }
        if let after { request.headers.set("Ledger-Position", after) }
        request.headers.set("Authorization", "Bearer " + (token ?? admin))
        let response = try await house.transport.send(request)
        return (response.status, try await response.body.collect(upTo: 1 << 22))
    }

    func get(_ path: String) async throws -> JSONValue {
        let reply = try await raw("GET", path, nil, key: nil)
        try #require(reply.status == 200, "\(path): \(String(decoding: reply.body, as: UTF8.self))")
        return try JSON.parse(reply.body)
    }

    func post(_ path: String, _ json: JSONValue, key: String) async throws {
        let reply = try await raw("POST", path, json, key: key)
        try #require(reply.status == 200, "\(path): \(String(decoding: reply.body, as: UTF8.self))")
    }

    func open(_ account: String, deposit: Int) async throws {
        try await post("/v1/accounts", ["account": .string(account), "asset": "USDC/6"], key: "open-" + account)
        try await post(
            "/v1/accounts/\(account)/deposits",
            ["amount": ["asset": "USDC/6", "amount": .string(String(deposit))], "rail": "bank", "reference": .string("ref-" + account)],
            key: "deposit-" + account)
    }

    private func figure(_ account: String, _ name: String) async throws -> Int {
        let reply = try await raw("GET", "/v1/accounts/" + account, nil, key: nil)
        guard reply.status == 200 else { return 0 }
        return try JSON.parse(reply.body)["assets"]?.arrayValue?.first?[name]?["amount"]?.stringValue.flatMap { Int($0) } ?? 0
    }

    func balance(_ account: String) async throws -> Int { try await figure(account, "balance") }
    func pending(_ account: String) async throws -> Int { try await figure(account, "pending") }

    /// Another service's event on the log.
    @discardableResult
    func tell(
        _ data: some EventData, as service: Service, stream: String, at time: Timestamp = LedgerClock.system.now(), cause: Appended? = nil
    ) async throws -> Appended {
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(stream)), time: time, actor: "test",
            cause: cause.map { .event(id: $0.entries[0].id) }
                ?? .command(id: "test-\(stream)-\(type(of: data).type)", digest: SHA256.hash(utf8: stream)), ordinal: 0,
            correlation: "test",
            data: data.json)
        return try await house.ledger.client(for: service).append(
            AppendRequest(events: [try event.encoded()], causePosition: cause?.position))
    }

    func publishModel() async throws {
        var book = try House()
        try book.publishModel()
        let asset = book.asset
        try await tell(
            DatanetCreated(
                datanet: "dn_1", owner: "olga", domain: "finance", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000,
                    admission: "automatic", minimumQuality: 0, panel: 3, quorum: 2, voting: "role")), as: .datanet, stream: "datanet/dn_1")
        try await tell(MemberGranted(datanet: "dn_1", principal: "cora", role: "curator"), as: .datanet, stream: "member/dn_1-cora")
        try await tell(MemberGranted(datanet: "dn_1", principal: "vera", role: "validator"), as: .datanet, stream: "member/dn_1-vera")
        try await tell(
            ModelPublished(
                model: "acme/defi", version: 1, owner: "acme", base: "base", snapshots: [], retrieval: [],
                price: ModelPrice(request: Amount(0, asset), input: Amount(1, asset), output: Amount(1, asset)),
                split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
                attribution: AttributionPolicy(
                    rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                    fallback: "tokens", minimumSpan: 4)), as: .training, stream: "model/acme-defi")
    }

    func answer(_ id: String, payer: String, fee: Int) async throws {
        let book = try House()
        try await tell(try book.inference(id, payer: payer, fee: Int128(fee), hold: nil), as: .agentGateway, stream: "inference/" + id)
        try await tell(
            try book.attribution(of: id, [("alice", 600_000_000), ("bob", 400_000_000)]), as: .attribution, stream: "attribution/at-" + id)
    }

    /// Serves a second instance beside the first, under a path of its own.
    func mountBoth(_ other: BillingService) async throws -> String {
        let routes = other.mount.routes.map { route in
            Route(
                route.method, "/other" + route.pattern, operation: "other" + route.operation, summary: route.summary, access: route.access,
                path: route.path, query: route.query, body: route.body, idempotency: route.idempotency, replies: route.replies,
                problems: route.problems, handler: route.handler)
        }
        try house.mount([service.mount, Mount("other", routes: routes)], grants: [BillingService.grants])
        return "/other"
    }
}

/// - Parameters:
///   - settings: of the service.
///   - clock: its clock; the machine's when left out.
///   - log: what it has in the place of the log.
func withBilling(
    settings: [String: String] = [:], clock: (@Sendable () -> Timestamp)? = nil,
    log: @escaping @Sendable (any LogClient, ServiceHouse) -> any LogClient = { log, _ in log },
    _ body: @Sendable (Desk) async throws -> Void
) async throws {
    try await withServiceHouse { house in
        let given = try house.context(.billing)
        let context = ServiceContext(
            service: given.service, log: log(given.log, house), database: given.database, peers: given.peers, signer: given.signer,
            folder: given.folder, shared: given.shared, settings: Configuration(settings), clock: clock ?? given.clock,
            logger: given.logger, metrics: given.metrics)
        let service = try await BillingService.open(context)
        try house.mount([service.mount], grants: [BillingService.grants])
        let scopes: Set<String> = [
            "billing:admin", "billing:read", "billing:deposit", "billing:hold", "billing:verify", "billing:refund",
            "billing:epoch", "billing:payout", "billing:recover",
        ]
        let desk = Desk(house: house, service: service, admin: try house.token("root", scopes: scopes))
        let running = Task { await service.run() }
        do {
            try await body(desk)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}
