import Crypto
import Decisions
import EventLog
import Events
import Foundation
import HTTP
import HTTPClient
import Identity
import IngestDomain
import JSON
import ServiceShell
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing
import Web

@testable import IngestService

/// Ingest in a house of its own, with Datanets to bring data to.
struct IngestHouse: Sendable {
    let house: ServiceHouse

    struct Answer {
        let status: Int
        let headers: Headers
        let bytes: [UInt8]
        var json: JSONValue { (try? JSON.parse(bytes, limits: JSONLimits(bytes: 64 << 20, items: 5_000_000))) ?? .null }
    }

    /// A contributor and the key it signs with.
    struct Person: Sendable {
        let name: String
        let key: Ed25519PrivateKey

        init(_ name: String) throws {
            self.name = name
            key = try Ed25519PrivateKey.generate()
        }
    }

    func call(
        _ method: String, _ path: String, as name: String?, json: JSONValue? = nil, bytes: [UInt8]? = nil, key: String? = nil,
        headers: [(String, String)] = [], scopes: Set<String> = ["contributions:write"]
    ) async throws -> Answer {
        var request = ClientRequest(method: method, url: "http://house" + path, maximumBodyBytes: 64 << 20)
        if let name { request.headers.set("Authorization", "Bearer " + (try house.token(name, scopes: scopes))) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        }
        if let bytes {
            request.headers.set("Content-Type", "application/octet-stream")
            request.body = .bytes(bytes)
        }
        if let key { request.headers.set("Idempotency-Key", key) }
        for (name, value) in headers { request.headers.set(name, value) }
        let response = try await house.transport.send(request)
        return Answer(status: response.status, headers: response.headers, bytes: try await response.body.collect(upTo: 64 << 20))
    }

    /// Puts a Datanet on the log.
    func createDatanet(
        _ id: String, licences: [String] = [], access: String = "open", media: String = "text", owner: String = "olga"
    ) async throws {
        let created = DatanetCreated(
            datanet: id, owner: owner, domain: "test", media: media,
            policy: DatanetPolicy(
                access: access, licences: licences, treasuryPoints: 0, curatorPoints: 0, contributorPoints: 10_000, admission: "automatic",
                minimumQuality: 0, panel: 0, quorum: 0, voting: "role"))
        try await put(created, "datanet/\(id)")
    }

    /// Puts an event of the Datanet service on the log.
    func put(_ data: some EventData, _ stream: String, as service: Service = .datanet) async throws {
        let event = Event(
            type: type(of: data).type, version: 1, stream: try #require(StreamName(stream)),
            time: try house.context(service).clock(), actor: "olga",
            cause: .command(id: Hex.encode(Random.bytes(8)), digest: .zero), ordinal: 0, correlation: "test", data: data.json)
        _ = try await house.context(service).log.append(all: [
            AppendRequest(events: [try event.encoded()], expected: [:], causePosition: nil)
        ])
        .map { try $0.get() }
    }

    func manifest(
        _ person: Person, _ datanet: String, _ files: [(String, [UInt8])], kind: Manifest.Kind = .own, licence: String? = "CC-BY-4.0",
        columns: ColumnMap = .standard, supersedes: String? = nil
    ) throws -> Manifest {
        Manifest(
            datanet: datanet, contributor: person.name, kind: kind, signer: DIDKey.text(for: person.key.publicKey), licence: licence,
            files: try files.map {
                .init(name: $0.0, format: try #require(DocumentFormat(name: $0.0)), bytes: $0.1.count, hash: SHA256.hash($0.1))
            }, columns: columns, supersedes: supersedes)
    }

    /// Makes a person known by the key they sign with, unless somebody of that name is known.
    func register(_ person: Person) async throws {
        let event = Event(
            type: PrincipalRegistered.type, version: 1, stream: try #require(StreamName("principal/\(person.name)")),
            time: try house.context(.agentGateway).clock(), actor: person.name,
            cause: .command(id: "register-\(person.name)", digest: .zero), ordinal: 0, correlation: "test",
            data: PrincipalRegistered(principal: person.name, kind: "person", key: DIDKey.text(for: person.key.publicKey)).json)
        let request = AppendRequest(events: [try event.encoded()], expected: [:], causePosition: nil)
        // One that was registered before, with this key or another, stays as it is.
        for answer in try await house.context(.agentGateway).log.append(all: [request]) {
            do { _ = try answer.get() } catch LogError.conflict {}
        }
    }

    func begin(
        _ person: Person, _ manifest: Manifest, key: String = Hex.encode(Random.bytes(8)), isRegistered: Bool = true
    ) async throws -> Answer {
        if isRegistered { try await register(person) }
        let signed = try SignedManifest(manifest, key: person.key)
        return try await call(
            "POST", "/v1/contributions", as: person.name,
            json: ["manifest": manifest.json, "signature": .string(Base64URL.encode(signed.signature))], key: key)
    }

    /// A contribution from its manifest to its verdicts.
    func contribute(
        _ person: Person, _ datanet: String, _ files: [(String, [UInt8])], kind: Manifest.Kind = .own, licence: String? = "CC-BY-4.0",
        columns: ColumnMap = .standard, supersedes: String? = nil
    ) async throws -> JSONValue {
        let begun = try await begin(
            person, try manifest(person, datanet, files, kind: kind, licence: licence, columns: columns, supersedes: supersedes))
        let id = try #require(begun.json["contribution"]?.stringValue, "\(String(decoding: begun.bytes, as: UTF8.self))")
        for (index, file) in files.enumerated() {
            let sent = try await call(
                "PATCH", "/v1/contributions/\(id)/files/\(index)", as: person.name, bytes: file.1, headers: [("Upload-Offset", "0")])
            try #require(sent.status == 204, "\(String(decoding: sent.bytes, as: UTF8.self))")
        }
        let ended = try await call("POST", "/v1/contributions/\(id)/finish", as: person.name, key: "finish-\(id)")
        try #require(ended.status == 202, "\(String(decoding: ended.bytes, as: UTF8.self))")
        return try await settled(id, person)
    }

    func settled(_ id: String, _ person: Person) async throws -> JSONValue {
        let state = Mutex(JSONValue.null)
        try await eventually("\(id) to be screened", timeout: .seconds(60)) {
            let now = try await call("GET", "/v1/contributions/\(id)", as: person.name).json
            state.withLock { $0 = now }
            return ["done", "failed"].contains(now["state"]?.stringValue ?? "")
        }
        return state.withLock { $0 }
    }

    func items(_ contribution: JSONValue, _ person: Person) async throws -> [JSONValue] {
        let id = contribution["contribution"]?.stringValue ?? ""
        return try await call("GET", "/v1/contributions/\(id)/items?limit=1000", as: person.name).json["items"]?.arrayValue ?? []
    }
}

/// - Parameter change: what this house is told otherwise than any other.
func withIngest(
    _ change: @escaping @Sendable (inout IngestCore) -> Void = { _ in }, _ body: @escaping @Sendable (IngestHouse) async throws -> Void
) async throws {
    try await withServiceHouse { house in
        var core = try await IngestService.open(try house.context(.ingest)).core
        change(&core)
        let service = IngestService(core: core)
        try house.mount([service.mount], grants: [IngestService.grants])
        let running = Task { await service.run() }
        do {
            let ingest = IngestHouse(house: house)
            try await body(ingest)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
    }
}
