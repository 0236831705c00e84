import Blobs
import Crypto
import DatanetDomain
import DatanetService
import EventLog
import Events
import HTTP
import HTTPClient
import Identity
import JSON
import LedgerService
import Projections
import ServiceShell
import ServiceTestSupport
import Synchronization
import TestSupport
import Threads
import Web

/// The Datanet service over a real ledger and database. Ingest speaks through its own client of the log, and its content is had
/// at its own path.
struct DatanetHouse: Sendable {
    let house: ServiceHouse
    let service: DatanetService
    let contents: Contents
    let evidence: EvidenceStore
    /// The service at work.
    let running: Task<Void, Never>

    /// What ingest would hand out.
    final class Contents: Sendable {
        private let texts = Lock<[String: String]>([:])
        private let images = Lock<[String: [UInt8]]>([:])

        /// Hands out an image, a piece at a time.
        func keep(image: [UInt8], contribution: String, item: String) { images.withLock { $0[contribution + "/" + item] = image } }

        subscript(contribution: String, item: String) -> String? {
            get { texts.withLock { $0[contribution + "/" + item] } }
            set { texts.withLock { $0[contribution + "/" + item] = newValue } }
        }

        /// In place of a text: it is not to be had.
        static let trouble = "trouble\0"

        /// Of a length that is no multiple of three, as bytes come over a wire.
        private static func pieces(_ bytes: [UInt8]) -> [BlobBytes] {
            stride(from: 0, to: bytes.count, by: 65_537).map { BlobBytes(Array(bytes[$0..<min(bytes.count, $0 + 65_537)])) }
        }

        var mount: Mount {
            Mount(
                "ingest",
                routes: [
                    Route(
                        .get, "/v1/contributions/{id}/items/{item}/content", operation: "itemContent", summary: "An item's content.",
                        access: .scope("contributions:content"), replies: [.content(200, "Text.", type: "text/plain")],
                        problems: [.notFound]
                    ) { [self] context in
                        if let image = images.withLock({ $0[context.path["id"] + "/" + context.path["item"]] }) {
                            return Response(headers: ["Content-Type": "image/png"], stream: BlobBytes(concatenating: Self.pieces(image)))
                        }
                        // As a server answers that has trouble with this one alone.
                        if self[context.path["id"], context.path["item"]] == Self.trouble { throw Problem(.internal, "trouble") }
                        guard let text = self[context.path["id"], context.path["item"]] else { throw Problem(.notFound, "it is gone") }
                        return Response(text: text)
                    }
                ])
        }
    }

    struct Answer: Sendable {
        let status: Int
        let headers: Headers
        let bytes: [UInt8]
        var json: JSONValue { (try? JSON.parse(bytes, limits: JSONLimits(bytes: 64 << 20, items: 5_000_000))) ?? .null }
        var rule: String? { json["rule"]?.stringValue }
        subscript(name: String) -> String { json[name]?.stringValue ?? "" }
    }

    func mount(_ service: DatanetService) throws {
        try house.mount(
            [LedgerRoutes(house.ledger).mount, service.mount, contents.mount],
            grants: [LedgerRoutes.services, DatanetService.grants, ["datanet": ["contributions:content"]]])
    }

    /// Calls a route as somebody.
    func call(
        _ method: String, _ path: String, as person: String?, _ json: JSONValue? = nil, key: String? = nil, after: Answer? = nil,
        position: AppliedPosition? = nil, scopes: Set<String> = ["datanets:read", "datanets:write"]
    ) async throws -> Answer {
        var request = ClientRequest(method: method, url: "http://house" + path, maximumBodyBytes: 64 << 20)
        if let person { request.headers.set("Authorization", "Bearer " + (try house.token(person, scopes: scopes))) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
            request.headers.set("Idempotency-Key", key ?? Hex.encode(Random.bytes(12)))
        }
        if let position = after?.headers["Ledger-Position"] { request.headers.set("Ledger-Position", position) }
        if let position { request.headers.set(AppliedPosition.headerName, position.format()) }
        let response = try await house.transport.send(request)
        return Answer(status: response.status, headers: response.headers, bytes: try await response.body.collect(upTo: 64 << 20))
    }

    func post(_ path: String, as person: String, _ json: JSONValue, key: String? = nil) async throws -> Answer {
        try await call("POST", path, as: person, json, key: key)
    }

    func get(_ path: String, as person: String? = nil, after: Answer? = nil) async throws -> Answer {
        try await call("GET", path, as: person, after: after)
    }

    /// Ingest says something.
    /// - Returns: the position.
    @discardableResult
    func ingest<Payload: EventData>(_ payload: Payload, _ stream: String) async throws -> UInt64 {
        try await tell(payload, stream, as: .ingest)
    }

    /// Another service says something.
    /// - Returns: the position.
    @discardableResult
    func tell<Payload: EventData>(_ payload: Payload, _ stream: String, as service: Service) async throws -> UInt64 {
        let id = Hex.encode(Random.bytes(12))
        guard let name = StreamName(stream) else { throw Rehearsal.Unprepared() }
        let event = Event(
            type: Payload.type, stream: name, time: LedgerClock.system.now(), actor: "ann",
            cause: .command(id: id, digest: SHA256.hash(utf8: id)), ordinal: 0, correlation: "0af7651916cd43dd8448eb211c80319c",
            data: payload.json)
        return try await house.ledger.client(for: service).append(AppendRequest(events: [try event.encoded()])).position
    }

    func screen(_ contribution: String, _ datanet: String, by contributor: String = "ann", _ items: [ScreenedItem]) async throws {
        for item in items where contents[contribution, item.item] == nil { contents[contribution, item.item] = "words about \(item.item)" }
        let (list, bytes) = try EvidenceForm.of(items)
        if let bytes { _ = try await evidence.put(canonical: bytes) }
        try await ingest(
            ContributionScreened(
                contribution: contribution, datanet: datanet, contributor: contributor, rules: "screening/1",
                accepted: items.count { $0.verdict == "accepted" }, rejected: items.count { $0.verdict != "accepted" }, items: list),
            "contribution/\(contribution)")
    }

    func create(_ policy: DatanetPolicy = .usual, by owner: String = "olga", media: String = "text") async throws -> String {
        let answer = try await post("/v1/datanets", as: owner, ["domain": "defi", "media": .string(media), "policy": policy.json])
        guard answer.status == 201 else { throw Unexpected(answer) }
        return answer["datanet"]
    }

    /// Waits until a contribution has come to something, and gives it.
    func outcome(of contribution: String, _ datanet: String) async throws -> JSONValue {
        let found = Lock<JSONValue>(.null)
        try await eventually("\(contribution) is decided") {
            let list = try await get("/v1/datanets/\(datanet)/contributions?limit=500").json["items"]?.arrayValue ?? []
            guard let row = list.first(where: { $0["contribution"]?.stringValue == contribution }),
                ["admitted", "refused"].contains(row["status"]?.stringValue)
            else { return false }
            found.withLock { $0 = row }
            return true
        }
        return found.withLock { $0 }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
        init(_ answer: Answer) { description = "\(answer.status): \(String(decoding: answer.bytes, as: UTF8.self))" }
    }
}

/// Runs the service beside the body.
func withDatanets(_ body: @escaping @Sendable (DatanetHouse) async throws -> Void) async throws {
    try await withServiceHouse { house in
        let context = try house.context(.datanet)
        let service = try await DatanetService.open(context)
        let running = Task { await service.run() }
        let datanets = DatanetHouse(
            house: house, service: service, contents: DatanetHouse.Contents(), evidence: try context.openEvidence(), running: running)
        try datanets.mount(service)
        do { try await body(datanets) } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}
