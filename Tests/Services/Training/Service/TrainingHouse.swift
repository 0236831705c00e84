import Blobs
import Crypto
import Decisions
import EventLog
import Events
import HTTP
import HTTPClient
import JSON
import LedgerService
import ServiceShell
import ServiceTestSupport
import Telemetry
import Synchronization
import TestSupport
import Testing
import TrainingService
import Web

/// The real training service on a real ledger, with a stand-in for the Datanet.
final class TrainingHouse: Sendable {
    let house: ServiceHouse
    private let number = Mutex(0)
    /// Lines of the Datanet's export; nil when it is away.
    private let lines = Mutex<[String]?>(["{\"item\":\"it_1\"}"])

    init(_ house: ServiceHouse) { self.house = house }

    func next(_ kind: String) -> String {
        number.withLock { number in
            number += 1
            return "\(kind)-\(number)"
        }
    }

    func setRows(_ rows: [String]?) { lines.withLock { $0 = rows } }

    /// Stands in for datanet's export of a snapshot.
    var standIn: Mount {
        Mount(
            "stand-in",
            routes: [
                Route(
                    .get, "/v1/datanets/{id}/snapshots/{number}/items", operation: "standInItems", summary: "A stand-in for datanet.",
                    access: .authenticated, query: [QueryParameter("purpose", .oneOf("train"), "What for.", required: true)],
                    replies: [.content(200, "Lines.", type: "application/jsonl")], problems: [.unavailable]
                ) { [self] _ in
                    guard let lines = lines.withLock({ $0 }) else { throw Problem(.unavailable, "away") }
                    return Response(body: .bytes(Array(lines.map { $0 + "\n" }.joined().utf8)))
                }
            ])
    }

    func call(
        _ method: String, _ path: String, as subject: String, _ json: JSONValue? = nil, bytes: [UInt8]? = nil, key: String? = nil
    ) async throws -> (status: Int, json: JSONValue, bytes: [UInt8]) {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(40))
        var scopes: Set<String> = ["jobs:write", "models:write"]
        if !subject.hasPrefix("own-") { scopes.insert("artefacts:read") }
        if subject.hasPrefix("runner") { scopes.insert("runners:work") }
        if subject == "runner-checker" { scopes.insert("runners:check") }
        let token = try house.token(subject, scopes: scopes)
        request.headers.set("Authorization", "Bearer " + token)
        if method != "GET" { request.headers.set("Idempotency-Key", key ?? next("key")) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        } else if let bytes {
            request.headers.set("Content-Type", "application/octet-stream")
            request.body = .bytes(bytes)
        }
        let response = try await house.transport.send(request)
        let body = try await response.body.collect(upTo: 1 << 22)
        return (response.status, (try? JSON.parse(body)) ?? .null, body)
    }

    func append(_ data: some EventData, by service: Service, stream: String) async throws {
        let command = next("cmd")
        let event = Event(
            type: type(of: data).type, stream: try #require(StreamName(stream)), time: try house.context(service).clock(), actor: "tester",
            cause: .command(id: command, digest: SHA256.hash(utf8: command)), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
            data: data.json)
        _ = try await house.ledger.client(for: service).append(AppendRequest(events: [event.encoded()]))
    }

    /// Puts a Datanet with a snapshot of one item on the log.
    func publishSnapshot() async throws {
        let item = AdmittedItem(
            item: "it_1", contribution: "ct_1", owner: "carl", commitment: SHA256.hash(utf8: "1"), tokens: 1_000, licence: "CC0-1.0",
            language: "en", cluster: "it_1")
        let list = try await house.context(.training).openEvidence().put(canonical: try EvidenceList<AdmittedItem>.encode([item])).hash
        try await append(
            DatanetCreated(
                datanet: "dn_1", owner: "olga", domain: "defi", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 1_000, curatorPoints: 0, contributorPoints: 9_000,
                    admission: "automatic", minimumQuality: 0, panel: 0, quorum: 0, voting: "role")), by: .datanet, stream: "datanet/dn_1")
        try await append(
            SnapshotPublished(
                datanet: "dn_1", snapshot: "sn_1", number: 1, root: list, manifest: list, items: 1, tokens: 1_000, owners: 1, list: list),
            by: .datanet, stream: "snapshot/sn_1")
    }

    func grant() async throws {
        try await append(
            AccessGranted(grant: "gr_1", datanet: "dn_1", grantee: "ann", purpose: "train"), by: .datanet, stream: "access/gr_1")
        try await eventually("the grant is known") {
            try await call("POST", "/v1/training-jobs/quote", as: "ann", order()).status == 200
        }
    }

    func registerBase() async throws {
        let base: JSONValue = [
            "model": "tiny", "artefact": .digest(SHA256.hash(utf8: "tiny")), "licence": "Apache-2.0", "parameters": 10,
        ]
        try #require(try await call("POST", "/v1/base-models", as: "house", base).status == 201)
    }

    func order(_ settings: JSONValue = ["epochs": 2]) -> JSONValue {
        ["base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]], "settings": settings]
    }

    func request() async throws -> String {
        let made = try await call("POST", "/v1/training-jobs", as: "ann", order())
        try #require(made.status == 201, "\(made.json)")
        return try #require(made.json["job"]?.stringValue)
    }

    /// Uploads an artefact of one file; its name.
    func upload(_ text: String, as subject: String = "runner1", named name: String = "file") async throws -> Digest {
        let file = Array(text.utf8)
        let manifest = try JSON.canonical([
            "files": [["bytes": .int(Int64(file.count)), "path": .string(name), "sha256": .digest(SHA256.hash(file))]]
        ])
        try #require(try await put(SHA256.hash(file), file, as: subject) == 204)
        try #require(try await put(SHA256.hash(manifest), manifest, as: subject) == 204)
        return SHA256.hash(manifest)
    }

    func put(_ digest: Digest, _ bytes: [UInt8], as subject: String = "runner1") async throws -> Int {
        try await call("PUT", "/v1/adapters/artefacts/\(digest.prefixed)", as: subject, bytes: bytes).status
    }

    /// What a watcher of a job is told until it is over.
    func watch(_ job: String, as subject: String = "ann", _ told: @Sendable (JSONValue) async throws -> Void) async throws {
        var request = ClientRequest(method: "GET", url: "http://house/v1/training-jobs/\(job)/events", timeout: .seconds(40))
        request.headers.set("Authorization", "Bearer " + (try house.token(subject)))
        let response = try await house.transport.send(request)
        try #require(response.status == 200)
        for try await event in ServerSentEvents(response.body) { try await told(try JSON.parse(Array(event.data.utf8))) }
    }

    func status(_ job: String) async throws -> String? {
        try await call("GET", "/v1/training-jobs/" + job, as: "ann").json["status"]?.stringValue
    }
}

/// Runs training, with a base model, a snapshot and a grant to learn from it, while the body runs.
func withTraining(
    grants: Bool = true, settings: [String: String] = [:], _ body: @Sendable (TrainingHouse) async throws -> Void
) async throws {
    try await withServiceHouse { house in
        let training = TrainingHouse(house)
        let base = try house.context(.training)
        let context = ServiceContext(
            service: base.service, log: base.log, database: base.database, peers: base.peers, signer: base.signer, folder: base.folder,
            shared: base.shared, settings: Configuration(settings), clock: base.clock, logger: base.logger, metrics: base.metrics)
        let service = try await TrainingService.open(context)
        try house.mount([training.standIn, service.mount], grants: [TrainingService.grants])
        let running = Task { await service.run() }
        do {
            try await training.registerBase()
            try await training.publishSnapshot()
            if grants { try await training.grant() }
            try await body(training)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}
