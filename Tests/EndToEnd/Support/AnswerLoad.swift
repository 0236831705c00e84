import Crypto
import Events
import Foundation
import HTTP
import HTTPClient
import Identity
import JSON
import Synchronization
import TestSupport
import Threads

/// People who ask a model through the gateway while everything behind the door is being killed, and keep what they were told.
final class AnswerLoad: Sendable {
    struct State {
        /// Requests that were answered, refused or broken off; one that found nobody at the door is made again.
        var asked = 0
        /// Fees of answers that were heard to their end, by their id.
        var heard: [String: Int128] = [:]
        var statuses: [Int: Int] = [:]
        var brokenOff = 0
        var left = 0
        var isStopping = false
        /// Whether words are noted as they are heard: from when on nothing is killed any more.
        var notesWords = false
        /// Answers of which a word was heard since then.
        var words: Set<String> = []
        /// Named requests that are to be made again: nobody knows what came of them, or they were told once only.
        var open: [Named] = []
        /// The answer that was told under each name, and how many were told a second time.
        var told: [String: String] = [:]
        var repeats = 0
        /// Answers that were told in one way once and in another later.
        var contradictions: [String] = []
    }

    /// A request under a name of its caller's.
    struct Named: Sendable {
        let name: String
        let payer: Int
        let body: JSONValue
    }

    static let payers = 5
    private let state = Lock(State())
    private let house: House
    private let gateway: String
    private let tokens: [String]
    private let callers: Lock<[Task<Void, Never>]> = Lock([])
    let seed: UInt64

    /// - Parameter gateway: its URL, which stays the same however often it is killed.
    init(_ house: House, gateway: String, callers count: Int) throws {
        self.house = house
        self.gateway = gateway
        let signer = try house.signer(.agentGateway)
        tokens = try (0..<Self.payers).map { number in
            try signer.mint(
                subject: "p\(number)", audience: "openledger", kind: .person, scopes: ["inferences:write", "inferences:read"],
                lifetime: 36_000)
        }
        seed = Seed.generator("answers").seed
        callers.withLock { callers in callers = (0..<count).map { number in Task { await self.call(number) } } }
    }

    var now: State { state.withLock { $0 } }

    /// Waits until so many requests have been made in all.
    func reach(_ count: Int) async throws {
        try await eventually("\(count) requests", timeout: .seconds(240), every: .milliseconds(10)) { self.now.asked >= count }
    }

    /// From now on every answer of which a word is heard has to be paid.
    func noteWords() { state.withLock { $0.notesWords = true } }

    func finish() async {
        state.withLock { $0.isStopping = true }
        for caller in callers.withLock({ $0 }) { await caller.value }
    }

    private func call(_ number: Int) async {
        var dice = SeededGenerator(seed: seed &+ UInt64(number))
        while !state.withLock({ $0.isStopping }) {
            do { try await ask(&dice) } catch let error as HTTPClientError {
                guard error.mayHaveReachedServer else {
                    try? await Task.sleep(for: .milliseconds(50))
                    continue
                }
                state.withLock { $0.brokenOff += 1 }
            } catch { state.withLock { $0.brokenOff += 1 } }
            state.withLock { $0.asked += 1 }
        }
    }

    /// One that was made before under its name, a new one with a name, or one without.
    private func ask(_ dice: inout SeededGenerator) async throws {
        let again = dice.chance(0.25)
        let old = state.withLock { state in again && !state.open.isEmpty ? state.open.removeFirst() : nil }
        if let old { return try await ask(old) }
        guard dice.chance(0.2) else { return try await askUnnamed(&dice) }
        let named = Named(
            name: "name-" + Hex.encode(Random.bytes(8)), payer: Int.random(in: 0..<Self.payers, using: &dice),
            body: Self.question(Int64.random(in: 1...12, using: &dice), streams: dice.chance(0.5)))
        try await ask(named)
    }

    private func ask(_ named: Named) async throws {
        var answer: String?
        // Whatever goes wrong, it is asked again under its name.
        defer { note(named, answer) }
        let response = try await house.transport.send(request(named.body, payer: named.payer, name: named.name))
        state.withLock { $0.statuses[response.status, default: 0] += 1 }
        guard response.status == 200 else {
            _ = try await response.body.collect(upTo: 1 << 20)
            return
        }
        guard named.body["stream"] == true else {
            answer = hear(try JSON.parse(try await response.body.collect(upTo: 1 << 20))["openledger"])
            return
        }
        for try await event in ServerSentEvents(response.body) where event.data != "[DONE]" {
            answer = hear(try JSON.parse(event.data)["openledger"]) ?? answer
        }
    }

    private func note(_ named: Named, _ answer: String?) {
        state.withLock { state in
            guard let answer else { return state.open.append(named) }
            guard let known = state.told.updateValue(answer, forKey: named.name) else { return state.open.append(named) }
            state.repeats += 1
            if known != answer { state.contradictions.append("\(named.name): \(known), then \(answer)") }
        }
    }

    private static func question(_ tokens: Int64, streams: Bool) -> JSONValue {
        [
            "model": "acme/defi", "max_tokens": .int(tokens), "stream": .bool(streams),
            "messages": [["role": "user", "content": "What moves the pool?"]],
        ]
    }

    private func request(_ body: JSONValue, payer: Int, name: String? = nil) -> ClientRequest {
        var request = ClientRequest(method: "POST", url: gateway + "/v1/chat/completions", timeout: .seconds(60))
        request.headers.set("Authorization", "Bearer " + tokens[payer])
        request.headers.set("Content-Type", "application/json")
        if let name { request.headers.set("Idempotency-Key", name) }
        request.body = .bytes(JSON.write(body))
        return request
    }

    private func askUnnamed(_ dice: inout SeededGenerator) async throws {
        let streams = dice.chance(0.6)
        // Some leave while the answer comes.
        let leavesAfter = streams && dice.chance(0.15) ? Int.random(in: 0...2, using: &dice) : nil
        let payer = Int.random(in: 0..<Self.payers, using: &dice)
        let body = Self.question(Int64.random(in: 1...12, using: &dice), streams: streams)
        let response = try await house.transport.send(request(body, payer: payer))
        state.withLock { $0.statuses[response.status, default: 0] += 1 }
        guard streams, response.status == 200 else {
            let body = try await response.body.collect(upTo: 1 << 20)
            if response.status == 200 { hear(try JSON.parse(body)["openledger"]) }
            return
        }
        var heard = 0
        for try await event in ServerSentEvents(response.body) {
            if let leavesAfter, heard >= leavesAfter {
                state.withLock { $0.left += 1 }
                return
            }
            heard += 1
            if event.data == "[DONE]" { continue }
            let chunk = try JSON.parse(event.data)
            hear(chunk["openledger"])
            if let id = chunk["id"]?.stringValue, chunk["choices"]?.arrayValue?.first?["delta"]?["content"]?.stringValue?.isEmpty == false {
                state.withLock { if $0.notesWords { $0.words.insert(id) } }
            }
        }
    }

    /// - Returns: the answer that was heard to its end.
    @discardableResult
    private func hear(_ facts: JSONValue?) -> String? {
        guard let id = facts?["inference"]?.stringValue, let fee = facts?["fee"]?["amount"]?.stringValue.flatMap({ Int128($0) }) else {
            return nil
        }
        state.withLock { state in
            if let known = state.heard.updateValue(fee, forKey: id), known != fee {
                state.contradictions.append("\(id): \(known), then \(fee)")
            }
        }
        return id
    }
}
