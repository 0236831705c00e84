import Crypto
import EventLog
import Events
import HTTPClient
import JSON
import Synchronization
import Money
import Synchronization
import TestSupport
import Threads

/// People and services who use billing while it is being killed. Answers and attributions are told in and out of order and more than
/// once; holds are placed and captured by commands that are sent again, to either instance, until they are answered.
final class MoneyLoad: Sendable {
    struct State {
        /// Answers that were told, with the fee of the first telling.
        var told: Set<String> = []
        /// By key: the answer that the command got, and whether another sending got another one.
        var answers: [String: [UInt8]] = [:]
        var captured: [String: Int] = [:]
        var contradictions: [String] = []
        var refused = 0
        var repeated = 0
        var failures: [String: Int] = [:]
        var isStopping = false
    }

    static let payers = 5
    private let state = Lock(State())
    private let doors: Lock<[BillingProcess]>
    private let ledger: Lock<LedgerProcess>
    private let callers: Lock<[Task<Void, any Error>]> = Lock([])
    let seed: UInt64

    init(_ doors: [BillingProcess], ledger: LedgerProcess) {
        self.doors = Lock(doors)
        self.ledger = Lock(ledger)
        seed = Seed.generator("money").seed
        callers.withLock { callers in
            callers = (0..<4).map { number in Task { try await self.hold(number) } }
            callers += (0..<2).map { number in Task { try await self.tell(number) } }
        }
    }

    var now: State { state.withLock { $0 } }
    func use(_ process: BillingProcess, at place: Int) { doors.withLock { $0[place] = process } }
    func add(_ process: BillingProcess) { doors.withLock { $0.append(process) } }
    func use(_ process: LedgerProcess) { ledger.withLock { $0 = process } }

    /// Waits until so many more answers are told and commands answered.
    func advance(by count: Int) async throws {
        let start = state.withLock { ($0.told.count, $0.answers.count) }
        do {
            try await eventually("\(count) more answers and commands", timeout: .seconds(120), every: .milliseconds(5)) {
                self.state.withLock { $0.isStopping || ($0.told.count >= start.0 + count / 4 && $0.answers.count >= start.1 + count) }
            }
        } catch {
            let now = now
            throw Unfit("\(error): told \(now.told.count), answered \(now.answers.count), repeated \(now.repeated), \(now.failures)")
        }
    }

    func finish() async throws {
        state.withLock { $0.isStopping = true }
        for caller in callers.withLock({ $0 }) { try await caller.value }
    }

    // MARK: Commands

    private func hold(_ number: Int) async throws {
        var dice = SeededGenerator(seed: seed &+ UInt64(number))
        var count = 0
        do {
            while !state.withLock({ $0.isStopping }) {
                count += 1
                let key = "h-\(number)-\(count)"
                let payer = Int.random(in: 0..<Self.payers, using: &dice)
                // Now and then of more than anybody has, so that the limit is tried however few commands there are.
                let amount = count % 8 == 2 ? 1_000_000_000_000 : Int.random(in: 100...4_000, using: &dice)
                let placed = try await carryOut(
                    key, "/v1/holds",
                    [
                        "account": .string("payer:p\(payer)"), "amount": ["asset": "USDC/6", "amount": .string("\(amount)")],
                        "seconds": 600,
                    ], &dice)
                guard let id = placed?["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue, dice.chance(0.9) else { continue }
                let part = Int.random(in: 1...amount, using: &dice)
                if try await carryOut(
                    "c-\(number)-\(count)", "/v1/holds/\(id)/capture",
                    ["reference": .string("bought-\(number)-\(count)"), "amount": ["asset": "USDC/6", "amount": .string("\(part)")]], &dice)
                    != nil
                {
                    state.withLock { $0.captured[id] = part }
                }
            }
        } catch {
            state.withLock { $0.isStopping = true }
            throw error
        }
    }

    /// Until it is answered; then, now and then, once more: the answer must be the same.
    private func carryOut(_ key: String, _ path: String, _ body: JSONValue, _ dice: inout SeededGenerator) async throws -> JSONValue? {
        let deadline = ContinuousClock.now + .seconds(90)
        var attempt = 0
        while true {
            do {
                let all = doors.withLock { $0 }
                let answer = try await all[(attempt + Int.random(in: 0..<all.count, using: &dice)) % all.count].ask(
                    "POST", path, body, key: key)
                if answer.status == 503 || answer.status == 409 { throw Unfit("\(answer.problem ?? "?")") }
                if attempt > 0 { state.withLock { $0.repeated += 1 } }
                // Not enough money, or the hold is used up: an answer too.
                guard answer.status == 200 else {
                    guard [402, 404].contains(answer.status) else { throw Wrong(description: "\(key): \(answer)") }
                    state.withLock { $0.refused += 1 }
                    return nil
                }
                state.withLock { state in
                    if let first = state.answers[key], first != answer.bytes { state.contradictions.append(key) }
                    state.answers[key] = answer.bytes
                }
                if attempt == 0, dice.chance(0.1) {
                    attempt = 1
                    continue
                }
                return try JSON.parse(answer.bytes)
            } catch let wrong as Wrong {
                throw wrong
            } catch {
                guard ContinuousClock.now < deadline else { throw Unfit("\(key), attempt \(attempt): \(error)") }
                attempt += 1
                state.withLock { $0.failures["\(error)".prefix(60).description, default: 0] += 1 }
                try await Task.sleep(for: .milliseconds(15))
            }
        }
    }

    private struct Wrong: Error, CustomStringConvertible { let description: String }

    // MARK: Events

    private func tell(_ number: Int) async throws {
        var dice = SeededGenerator(seed: seed &+ 100 &+ UInt64(number))
        var count = 0
        do {
            let asset = try Asset("USDC/6")
            while !state.withLock({ $0.isStopping }) {
                count += 1
                let id = "inf-\(number)-\(count)"
                let fee = Int.random(in: 0...3_000, using: &dice)
                let payer = "p\(Int.random(in: 0..<Self.payers, using: &dice))"
                func answer(_ units: Int) -> InferenceCompleted {
                    InferenceCompleted(
                        inference: id, payer: payer, actor: payer, model: "acme/defi", version: 1, base: "base", prompt: .zero,
                        answer: .zero, inputTokens: 10, outputTokens: 20, fee: Amount(Int128(units), asset), hold: nil, runner: "runner-1",
                        passages: .entries([]))
                }
                let first = Int.random(in: 0...1_000_000_000, using: &dice)
                let attribution = AttributionComputed(
                    attribution: "at-" + id, inference: id, model: "acme/defi", version: 1, rules: "attribution/1", methods: [],
                    fallback: false,
                    shares: .entries([
                        AttributionShare(owner: "alice", datanet: "dn_1", share: first),
                        AttributionShare(owner: "bob", datanet: "dn_1", share: 1_000_000_000 - first),
                    ]), evidence: .zero)
                var events: [(any EventData, Service, String)] = [
                    (answer(fee), .agentGateway, "inference/\(id)"), (attribution, .attribution, "attribution/at-\(id)"),
                ]
                if dice.chance(0.15) { events.swapAt(0, 1) }
                if dice.chance(0.15) { events.append((answer(fee), .agentGateway, "inference/\(id)")) }
                if dice.chance(0.15) { events.append((attribution, .attribution, "attribution/at-\(id)")) }
                for (place, event) in events.enumerated() { try await append(event.0, event.1, event.2, "\(id)-\(place)") }
                state.withLock { _ = $0.told.insert(id) }
            }
        } catch {
            state.withLock { $0.isStopping = true }
            throw error
        }
    }

    func append(_ data: any EventData, _ service: Service, _ stream: String, _ command: String) async throws {
        guard let name = StreamName(stream) else { throw Unfit(stream) }
        let deadline = ContinuousClock.now + .seconds(90)
        while true {
            do {
                let event = Event(
                    type: type(of: data).type, stream: name, time: Sample.now, actor: "teller",
                    cause: .command(id: command, digest: SHA256.hash(utf8: command)), ordinal: 0,
                    correlation: "0af7651916cd43dd8448eb211c80319c", data: data.json)
                let client = ledger.withLock { $0 }.client(service)
                _ = try await client.append(AppendRequest(events: [try event.encoded()]))
                return
            } catch {
                guard ContinuousClock.now < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(15))
            }
        }
    }
}
