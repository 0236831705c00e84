import BillingService
import Crypto
import EventLog
import Events
import Foundation
import HTTP
import HTTPClient
import Identity
import JSON
import LedgerService
import Money
import Postgres
import PrivatePostgres
import ServiceShell
import Telemetry
import Web

/// A ledger and the billing service over a private server, in one process as `openledger up` has them, with the events of the other
/// services that billing answers.
final class BillingBench: Sendable {
    let ledger: Ledger
    let service: BillingService
    let transport: InProcessTransport
    let token: String
    private let tasks: [Task<Void, Never>]
    private let folder: URL
    private let database: PostgresConfiguration

    static let asset = "USDC/6"
    /// Five by the model's split, one the platform, six contributors.
    static let payees = 12
    static let contributors = 6

    private init(
        ledger: Ledger, service: BillingService, transport: InProcessTransport, token: String, tasks: [Task<Void, Never>], folder: URL,
        database: PostgresConfiguration
    ) {
        self.ledger = ledger
        self.service = service
        self.transport = transport
        self.token = token
        self.tasks = tasks
        self.folder = folder
        self.database = database
    }

    static func start(_ cluster: PrivateCluster, database: String) async throws -> BillingBench {
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url()))
        _ = try await connection.executeScript("create database \(database)")
        await connection.close()
        let owner = try PostgresConfiguration(url: cluster.url(database: database))
        try await Roles(owner).ensure([Roles.Login(service: "ledger", password: nil), Roles.Login(service: "billing", password: nil)])
        _ = try await Migrator(owner, folder: "migrations", services: ["ledger", "billing"]).apply()
        let settings = LedgerSettings(
            database: try PostgresConfiguration(url: cluster.url(database: database, user: "openledger_ledger")),
            origin: "bench.example/log", keys: [try Ed25519PrivateKey.generate()], instance: "bench")
        let ledger = try await Ledger.make(settings, transport: try CurlTransport(), logger: .silent, metrics: Metrics())
        let leading = Task { await ledger.run() }
        while !ledger.isLeading { try await Task.sleep(for: .milliseconds(5)) }

        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-billing-\(getpid())-\(database)")
        for name in ["own", "shared"] {
            try FileManager.default.createDirectory(at: folder.appendingPathComponent(name), withIntermediateDirectories: true)
        }
        let key = try Ed25519PrivateKey.generate()
        let signer = TokenSigner(key: key, issuer: "people")
        let context = ServiceContext(
            service: .billing, log: ledger.client(for: .billing),
            database: try PostgresConfiguration(url: cluster.url(database: database, user: "openledger_billing")),
            peers: Peers(transport: InProcessTransport { _ in Response(status: 503) }, addresses: [:], token: { _ in "" }),
            signer: signer, folder: folder.appendingPathComponent("own").path, shared: folder.appendingPathComponent("shared").path,
            settings: Configuration([:]), clock: { LedgerClock.system.now() }, logger: .silent, metrics: Metrics())
        let service = try await BillingService.open(context)
        let verifier = try TokenVerifier(
            issuers: ["people": try PublicKeySet([PublicKeySet.Entry(key: key.publicKey, issuer: "people")])], audiences: ["openledger"])
        let application = try Application(
            name: "bench", version: "0", mounts: [service.mount], authenticator: Authenticator(tokens: verifier, keys: nil, services: [:]),
            log: .silent, metrics: Metrics())
        let handler = application.handler
        let transport = InProcessTransport { try await handler($0) }
        let token = try signer.mint(
            subject: "bench", audience: "openledger", kind: .person,
            scopes: ["billing:admin", "billing:read", "billing:deposit", "billing:hold"], lifetime: 36_000)
        let running = Task { await service.run() }
        return BillingBench(
            ledger: ledger, service: service, transport: transport, token: token, tasks: [running, leading], folder: folder, database: owner
        )
    }

    func stop() async {
        for task in tasks {
            task.cancel()
            await task.value
        }
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: What other services say

    /// Events of another service, as many in one append as it takes.
    func tell(_ events: [any EventData], as service: Service, stream: String, tag: String) async throws {
        guard let name = StreamName(stream) else { throw BenchmarkError("no stream") }
        let client = ledger.client(for: service)
        var requests: [AppendRequest] = []
        for (number, start) in stride(from: 0, to: events.count, by: 500).enumerated() {
            let time = LedgerClock.system.now()
            let part = events[start..<min(start + 500, events.count)]
            requests.append(
                AppendRequest(
                    events: try part.enumerated().map { ordinal, data in
                        try Event(
                            type: type(of: data).type, stream: name, time: time, actor: "bench",
                            cause: .command(id: "\(tag)-\(number)", digest: .zero), ordinal: ordinal,
                            correlation: "0af7651916cd43dd8448eb211c80319c", data: data.json
                        ).encoded()
                    }))
            if requests.count == 8 || start + 500 >= events.count {
                for answer in await client.append(all: requests) { _ = try answer.get() }
                requests = []
            }
        }
    }

    /// A Datanet, a model, and payers with much money.
    func prepare(payers: Int) async throws {
        let asset = try Asset(Self.asset)
        let policy = DatanetPolicy(
            access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000,
            admission: "automatic", minimumQuality: 0, panel: 3, quorum: 2, voting: "role")
        try await tell(
            [DatanetCreated(datanet: "dn_1", owner: "olga", domain: "finance", media: "text", policy: policy)], as: .datanet,
            stream: "datanet/dn_1", tag: "datanet")
        try await tell(
            [
                MemberGranted(datanet: "dn_1", principal: "cora", role: "curator"),
                MemberGranted(datanet: "dn_1", principal: "vera", role: "validator"),
            ], as: .datanet, stream: "member/dn_1", tag: "members")
        try await tell(
            [
                ModelPublished(
                    model: "acme/defi", version: 1, owner: "acme", base: "base", snapshots: [], retrieval: [],
                    price: ModelPrice(request: Amount(0, asset), input: Amount(1, asset), output: Amount(1, asset)),
                    split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
                    attribution: AttributionPolicy(
                        rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                        fallback: "tokens", minimumSpan: 4))
            ], as: .training, stream: "model/acme-defi", tag: "model")
        for payer in 0..<payers {
            _ = try await call(
                "POST", "/v1/accounts", ["account": .string("payer:p\(payer)"), "asset": .string(Self.asset)], "open-\(payer)")
            _ = try await call(
                "POST", "/v1/accounts/payer:p\(payer)/deposits",
                [
                    "amount": ["asset": .string(Self.asset), "amount": "1000000000000000"], "rail": "bank",
                    "reference": .string("ref-\(payer)"),
                ], "deposit-\(payer)")
        }
    }

    /// Answers and their attributions, on the log.
    func answers(_ range: Range<Int>, payers: Int, tag: String) async throws {
        try await inferences(range, payers: payers, tag: tag)
        try await attributions(range, tag: tag)
    }

    /// Answers.
    func inferences(_ range: Range<Int>, payers: Int, tag: String) async throws {
        let asset = try Asset(Self.asset)
        let inferences: [any EventData] = range.map { index in
            InferenceCompleted(
                inference: "inf_\(tag)_\(index)", payer: "p\(index % payers)", actor: "p\(index % payers)", model: "acme/defi", version: 1,
                base: "base", prompt: .zero, answer: .zero, inputTokens: 100, outputTokens: 200,
                fee: Amount(Int128(100_003 + index % 97), asset), hold: nil, runner: "runner-1", passages: .entries([]))
        }
        try await tell(inferences, as: .agentGateway, stream: "inference/\(tag)", tag: "i-\(tag)-\(range.lowerBound)")
    }

    /// Who shaped them.
    func attributions(_ range: Range<Int>, tag: String) async throws {
        let attributions: [any EventData] = range.map { index in
            let shares = (0..<Self.contributors).map { place in
                AttributionShare(
                    owner: "owner-\((index * 7 + place) % 500)", datanet: "dn_1",
                    share: place == 0 ? 1_000_000_000 - 5 * 160_000_000 : 160_000_000)
            }
            let id = "inf_\(tag)_\(index)"
            return AttributionComputed(
                attribution: "at_" + id, inference: id, model: "acme/defi", version: 1, rules: "attribution/1", methods: [],
                fallback: false, shares: .entries(shares), evidence: .zero)
        }
        try await tell(attributions, as: .attribution, stream: "attribution/\(tag)", tag: "a-\(tag)-\(range.lowerBound)")
    }

    /// Waits until the log has so many events.
    func waitUntil(size: UInt64) async throws {
        let client = ledger.client(for: .billing)
        while true {
            let batch = try await client.read(from: size - 1, limit: 1, wait: .seconds(10))
            if batch.size >= size { return }
            if batch.events.isEmpty, batch.size < size { try await Task.sleep(for: .milliseconds(2)) }
        }
    }

    func size() async throws -> UInt64 { try await ledger.client(for: .billing).read(from: 0, limit: 1, wait: nil).size }

    /// How many entries the read model has.
    func entries() async throws -> Int64 {
        let connection = try await PostgresConnection.connect(database)
        let count = try await connection.execute("select count(*) from billing.entries").one().int(0)
        await connection.close()
        return count
    }

    // MARK: REST

    @discardableResult
    func call(_ method: String, _ path: String, _ json: JSONValue? = nil, _ key: String? = nil) async throws -> JSONValue {
        var request = ClientRequest(method: method, url: "http://bench" + path)
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if let key { request.headers.set("Idempotency-Key", key) }
        request.headers.set("Authorization", "Bearer " + token)
        let response = try await transport.send(request)
        let bytes = try await response.body.collect(upTo: 16 << 20)
        guard response.status == 200 else { throw BenchmarkError("\(path): \(response.status) \(String(decoding: bytes, as: UTF8.self))") }
        return try JSON.parse(bytes)
    }
}
