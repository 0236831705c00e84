import AgentGatewayDomain
import AgentGatewayService
import AttributionService
import BillingService
import Crypto
import DatanetService
import EventLog
import Events
import Foundation
import HTTP
import HTTPClient
import Identity
import IngestService
import JSON
import LedgerService
import ServiceShell
import ServiceTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing
import TrainingService
import Web

/// All services on one ledger, called by their public routes; only the model server is a stand-in, which says what a test wants.
final class WholeHouse: Sendable {
    let house: ServiceHouse
    private let answer = Mutex("")
    private let number = Mutex(0)

    init(_ house: ServiceHouse) { self.house = house }

    /// Everything that anybody may do.
    static let scopes: Set<String> = PrincipalRules.usualScopes.union([
        "artefacts:read", "principals:verify", "keys:administer", "rulings:write", "billing:admin", "billing:read",
        "billing:deposit", "billing:epoch", "billing:payout", "billing:verify", "billing:refund", "billing:hold",
        "log:read",
    ])

    /// Those alone whose name begins with `runner` are the house's own runners.
    static func scopes(of subject: String) -> Set<String> {
        subject.hasPrefix("runner") ? scopes.union(["runners:work", "runners:check"]) : scopes
    }

    func next(_ kind: String) -> String {
        number.withLock { number in
            number += 1
            return "\(kind)-\(number)"
        }
    }

    /// Whether the model's server breaks off before it has ended an answer.
    let breaksOff = Mutex(false)

    /// What the model says from now on.
    func say(_ text: String) { answer.withLock { $0 = text } }

    // MARK: Calls

    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    /// Calls a route; what it refuses is thrown.
    @discardableResult
    func call(
        _ method: String, _ path: String, as subject: String?, _ json: JSONValue? = nil, bytes: [UInt8]? = nil,
        headers: [(String, String)] = [], key: String? = nil
    ) async throws -> JSONValue {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(60), maximumBodyBytes: 64 << 20)
        if let subject { request.headers.set("Authorization", "Bearer " + (try house.token(subject, scopes: Self.scopes(of: subject)))) }
        if method != "GET" { request.headers.set("Idempotency-Key", key ?? next("key")) }
        if let json {
            request.headers.set("Content-Type", "application/json")
            request.body = .bytes(JSON.write(json))
        } else if let bytes {
            request.headers.set("Content-Type", "application/octet-stream")
            request.body = .bytes(bytes)
        }
        for (name, value) in headers { request.headers.set(name, value) }
        let response = try await house.transport.send(request)
        let body = try await response.body.collect(upTo: 64 << 20)
        guard response.status < 300 else {
            throw Refused(description: "\(method) \(path): \(response.status) \(String(decoding: body, as: UTF8.self))")
        }
        return (try? JSON.parse(body)) ?? .null
    }

    /// The status of an answer to who has a token.
    func status(_ method: String, _ path: String, token: String) async throws -> Int {
        var request = ClientRequest(method: method, url: "http://house" + path, timeout: .seconds(60))
        request.headers.set("Authorization", "Bearer " + token)
        let response = try await house.transport.send(request)
        _ = try await response.body.collect(upTo: 1 << 20)
        return response.status
    }

    /// Calls a route until it takes it, since what it rests on may be on its way from another service; then gives the answer.
    @discardableResult
    func insist(_ method: String, _ path: String, as subject: String?, _ json: JSONValue? = nil) async throws -> JSONValue {
        let key = next("key")
        let found = Mutex<JSONValue>(.null)
        let last = Mutex("")
        do {
            try await eventually("\(method) \(path)") {
                do {
                    let answer = try await call(method, path, as: subject, json, key: key)
                    found.withLock { $0 = answer }
                    return true
                } catch let refused as Refused {
                    last.withLock { $0 = refused.description }
                    return false
                }
            }
        } catch { throw Refused(description: last.withLock { $0 }) }
        return found.withLock { $0 }
    }

    // MARK: The log

    func events() async throws -> [LoggedEvent] {
        var all: [LoggedEvent] = []
        while true {
            let batch = try await house.ledger.client(for: .billing).read(from: UInt64(all.count), limit: 1_000, wait: nil)
            guard !batch.events.isEmpty else { return all }
            all += batch.events
        }
    }

    func count(_ type: String) async throws -> Int {
        try await events().count { try EventHeader(trusted: $0.bytes).type == type }
    }

    func wait(for type: String, _ count: Int) async throws {
        try await eventually("\(count) \(type)") { try await self.count(type) >= count }
    }

    // MARK: The model server

    fileprivate var model: Mount {
        Mount(
            "model",
            routes: [
                Route(
                    .post, "/runner/v1/chat/completions", operation: "standInChat", summary: "A stand-in for a model server.",
                    access: .authenticated, body: .json(.openObject(), limit: 8 << 20), replies: [.events("Chunks.")]
                ) { [self] _ in
                    let text = answer.withLock { $0 }
                    let breaks = breaksOff.withLock { $0 }
                    let pieces = text.split(separator: " ").map { $0 + " " }
                    let usage: JSONValue = ["prompt_tokens": 9, "completion_tokens": .int(Int64(pieces.count))]
                    var events: [JSONValue] = pieces.map {
                        ["choices": [["index": 0, "delta": ["content": .string(String($0))], "finish_reason": .null]]]
                    }
                    events.append([
                        "choices": [["index": 0, "delta": .object(JSONObject()), "finish_reason": "stop"]], "usage": usage,
                    ])
                    let lines = events.map { String(decoding: JSON.write($0), as: UTF8.self) } + ["[DONE]"]
                    return Response(
                        headers: ServerSentEvent.replyHeaders,
                        body: .stream { writer in
                            let told = breaks ? Array(lines.dropLast(2)) : lines
                            for line in told { try await writer.write(ServerSentEvent(data: line).bytes) }
                            if breaks { throw BrokenOff() }
                        })
                },
                Route(
                    .post, "/runner/v1/adapters", operation: "standInLoad", summary: "Takes every adapter.", access: .authenticated,
                    body: .json(.openObject()), replies: [.json(200, "Loaded.", .any)]
                ) { _ in .json(.object(JSONObject())) },
            ])
    }
}

private struct BrokenOff: Error {}

/// The context of a training that looks at all that others' runners hand in.
private func lookingAtAll(_ base: ServiceContext) -> ServiceContext {
    ServiceContext(
        service: base.service, log: base.log, database: base.database, peers: base.peers, signer: base.signer, folder: base.folder,
        shared: base.shared, settings: Configuration(["OPENLEDGER_RUNNER_CHECKS": "100"]), clock: base.clock, logger: base.logger,
        metrics: base.metrics)
}

/// Runs all services while the body runs.
func withWholeHouse<Result: Sendable>(_ body: @Sendable (WholeHouse) async throws -> Result) async throws -> Result {
    try await withServiceHouse { house in
        let whole = WholeHouse(house)
        let services: [any RunnableService] = [
            try await IngestService.open(house.context(.ingest)), try await DatanetService.open(house.context(.datanet)),
            try await TrainingService.open(lookingAtAll(house.context(.training))),
            try await AttributionService.open(house.context(.attribution)),
            try await BillingService.open(house.context(.billing)), try await AgentGatewayService.open(house.context(.agentGateway)),
        ]
        try house.mount(
            [LedgerRoutes(house.ledger).mount, whole.model] + services.map(\.mount),
            grants: [LedgerRoutes.services] + services.map { type(of: $0).grants })
        let running = Task {
            await withTaskGroup(of: Void.self) { group in
                for service in services { group.addTask { await service.run() } }
            }
        }
        do {
            let result = try await body(whole)
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
