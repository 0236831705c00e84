import AttributionDomain
import AttributionService
import Blobs
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import HTTP
import HTTPClient
import JSON
import LedgerService
import Money
import ServiceShell
import ServiceTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing

/// A ledger with what other services would have put on it, their stand-ins, and the real attribution.
final class AttributionHouse: Sendable {
    struct Item {
        let id: String
        let owner: String
        let text: String?
        var cluster: String?
        /// An image's bytes in base64, in place of a text.
        var media: String?
        var contribution: String { "c-" + id }
    }

    let house: ServiceHouse
    let standIns = StandIns()
    private let number = Mutex(0)
    static let trace = "0af7651916cd43dd8448eb211c80319c"

    private let settings: [String: String]

    init(_ house: ServiceHouse, settings: [String: String]) {
        self.house = house
        self.settings = settings
    }

    /// The house's, with the settings of this one.
    var context: ServiceContext {
        get throws {
            let own = try house.context(.attribution)
            return ServiceContext(
                service: own.service, log: own.log, database: own.database, peers: own.peers, signer: own.signer, folder: own.folder,
                shared: own.shared, settings: Configuration(settings), clock: own.clock, logger: own.logger, metrics: own.metrics)
        }
    }

    // MARK: What stands on the log

    @discardableResult
    func append<Payload: EventData>(
        _ data: Payload, by service: Service, _ id: String = "t", actor: String = "tester"
    ) async throws -> UInt64 {
        let command = number.withLock { number in
            number += 1
            return "cmd-\(number)"
        }
        let stream = try #require(StreamName(kind: String(Payload.type.prefix { $0 != "." }), id: id))
        let event = Event(
            type: Payload.type, stream: stream, time: try house.context(service).clock(), actor: actor,
            cause: .command(id: command, digest: SHA256.hash(utf8: command)), ordinal: 0, correlation: Self.trace, data: data.json)
        return try await house.ledger.client(for: service).append(AppendRequest(events: [event.encoded()])).position
    }

    /// Publishes a snapshot whose content datanet's stand-in has.
    @discardableResult
    func publish(_ items: [Item], datanet: String = "dn_1", number: Int = 1, admits: Bool = true) async throws -> SnapshotReference {
        var list: [AdmittedItem] = []
        var lines: [String] = []
        for item in items {
            let admitted = AdmittedItem(
                item: item.id, contribution: item.contribution, owner: item.owner, commitment: SHA256.hash(utf8: item.id),
                tokens: (item.text ?? "").split(separator: " ").count, licence: "CC-BY-4.0", language: "en",
                cluster: item.cluster ?? item.id)
            if admits {
                try await append(
                    AdmissionGranted(datanet: datanet, contribution: item.contribution, items: .entries([admitted])), by: .datanet)
            }
            var line = try #require(admitted.json.objectValue)
            line["content"] = item.text.map { .string($0) } ?? .null
            if let media = item.media { line["content"] = ["media_type": "image/png", "base64": .string(media)] }
            if item.text == nil, item.media == nil { line["withdrawn"] = .bool(true) }
            lines.append(String(decoding: JSON.write(.object(line)), as: UTF8.self))
            list.append(admitted)
        }
        let content = lines
        standIns.change { $0.exports["\(datanet)/\(number)"] = content }
        let bytes = try EvidenceList<AdmittedItem>.encode(list)
        let digest = try await evidence.put(canonical: bytes).hash
        let reference = SnapshotReference(
            datanet: datanet, snapshot: "sn_\(datanet)_\(number)", number: number, root: SHA256.hash(Array("root".utf8) + bytes))
        try await append(
            SnapshotPublished(
                datanet: datanet, snapshot: reference.snapshot, number: number, root: reference.root, manifest: SHA256.hash(utf8: "m"),
                items: list.count, tokens: list.reduce(0) { $0 + $1.tokens }, owners: Set(list.map(\.owner)).count, list: digest),
            by: .datanet)
        return reference
    }

    /// Training's job_1 with these rows of influence.
    ///
    /// - Parameters:
    ///   - others: further files of the artefact, by name; training does not have their bytes.
    ///   - table: what stands in place of rows.json.
    func publishRows(
        _ rows: [(item: String, row: RowBytes)], checkpoints: Int? = nil, others: [String: [UInt8]] = [:], table: [UInt8]? = nil,
        job: String = "job_1"
    ) async throws {
        let (files, manifest) = try RowBytes.artefact(rows, checkpoints: checkpoints, others: others, table: table)
        for file in files where !others.values.contains(file) { standIns.put(artefact: file) }
        try await append(
            JobCompleted(
                job: job, owner: "acme", base: "base", snapshots: [], adapter: SHA256.hash(utf8: "x"),
                rows: standIns.put(artefact: manifest), shares: .entries([]), tokens: 1, fee: Amount(0, Asset("USDC/6")),
                runner: "r", record: SHA256.hash(utf8: "r")), by: .training)
    }

    func publishModel(
        _ snapshots: [SnapshotReference], retrieval: [String] = [], job: String? = nil, version: Int = 1,
        _ change: (inout Events.AttributionPolicy) -> Void = { _ in }
    ) async throws {
        let zero = try Amount(0, Asset("USDC/6"))
        var policy = Events.AttributionPolicy(
            rules: "attribution/1", spans: 4_000, influence: 4_000, retrieval: 2_000, threshold: 0, cap: 1_000_000_000, fallback: "tokens",
            minimumSpan: 8)
        change(&policy)
        try await append(
            ModelPublished(
                model: "acme/defi", version: version, owner: "acme", base: "base", job: job, snapshots: snapshots, retrieval: retrieval,
                price: ModelPrice(request: zero, input: zero, output: zero),
                split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
                attribution: policy), by: .training)
    }

    @discardableResult
    func answer(
        _ id: String, _ text: String?, prompt: String = "", row: Digest? = nil, passages: [Events.RetrievedPassage] = [],
        model: String = "acme/defi", version: Int = 1
    ) async throws -> UInt64 {
        if let text { standIns.change { $0.answers[id] = (prompt, text) } }
        return try await append(
            InferenceCompleted(
                inference: id, payer: "pia", actor: "bot", model: model, version: version, base: "base", prompt: SHA256.hash(utf8: "p"),
                answer: SHA256.hash(utf8: "a"), inputTokens: 1, outputTokens: 1, fee: Amount(0, Asset("USDC/6")), runner: "runner",
                passages: .entries(passages), row: row), by: .agentGateway, id)
    }

    // MARK: What attribution said

    var evidence: EvidenceStore { get throws { try house.context(.attribution).openEvidence() } }

    func log() async throws -> [LoggedEvent] {
        try await house.ledger.client(for: .attribution).read(from: 0, limit: 1_000, wait: nil).events
    }

    func events<Payload: EventData>(_ type: Payload.Type) async throws -> [Payload] {
        try await log().compactMap { logged in
            let event = try Fact(logged)
            return event.type == Payload.type ? try Payload(event.data.object()) : nil
        }
    }

    /// The attribution of an answer, once it is there.
    func attribution(of inference: String) async throws -> AttributionComputed {
        try await eventually("\(inference) is attributed") {
            try await events(AttributionComputed.self).contains { $0.inference == inference }
        }
        return try #require(try await events(AttributionComputed.self).first { $0.inference == inference })
    }

    func statement(_ digest: Digest) async throws -> AttributionStatement {
        try AttributionStatement(json: try await evidence.bytes(digest))
    }

    /// Runs an instance of the service while the body runs.
    func serving<Result: Sendable>(_ body: @Sendable (AttributionService) async throws -> Result) async throws -> Result {
        let service = try await AttributionService.open(context)
        try house.mount([standIns.mount, service.mount], grants: [AttributionService.grants])
        let running = Task { await service.run() }
        do {
            let result = try await body(service)
            running.cancel()
            await running.value
            return result
        } catch {
            running.cancel()
            await running.value
            throw error
        }
    }

    func call(
        _ method: String = "GET", _ path: String, as subject: String = "pia", scopes: Set<String> = ["attributions:read"],
        json: JSONValue? = nil
    ) async throws -> (status: Int, json: JSONValue) {
        var request = ClientRequest(method: method, url: "http://house" + path)
        request.headers.set("Authorization", "Bearer " + (try house.token(subject, scopes: scopes)))
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        let response = try await house.transport.send(request)
        let body = try await response.body.collect(upTo: 1 << 22)
        return (response.status, body.isEmpty ? .null : try JSON.parse(body))
    }
}

func withAttributionHouse(
    settings: [String: String] = [:], _ body: @Sendable (AttributionHouse) async throws -> Void
) async throws {
    try await withServiceHouse { house in try await body(AttributionHouse(house, settings: settings)) }
}

extension EvidenceList<AttributionShare> {
    /// Parts by owner; for lists that stand in the event.
    var byOwner: [String: Int] {
        guard case .entries(let entries) = self else { return [:] }
        return entries.reduce(into: [:]) { $0[$1.owner, default: 0] += $1.share }
    }
}
