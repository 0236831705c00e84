import Crypto
import Decisions
import EventLog
import Events
import Foundation
import JSON
import Money
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("A killed gateway, runner and billing")
    struct GatewayKillTests {
        /// Requests of a run: OPENLEDGER_TEST_LOAD, such as 10000.
        private static let requests = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_LOAD"].flatMap { Int($0) } ?? 160
        private static let deposit: Int128 = 1_000_000_000

        @Test("each killed at random under load: every answer is paid for exactly once, and nothing else is", .timeLimit(.minutes(60)))
        func killedUnderLoad() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let billing = try await BillingProcess.start("billing", in: house, ledger: ledger.url)
                try await Self.prepare(billing, ledger)
                let runner = try await ServedProcess.start(
                    "runner", as: .training, in: house, ledger: ledger.url, more: ["OPENLEDGER_RUNNER_THREADS": "1"])
                let gateway = try await ServedProcess.start(
                    "agent-gateway", as: .agentGateway, in: house, ledger: ledger.url,
                    more: [
                        "OPENLEDGER_BILLING_URL": billing.url, "OPENLEDGER_BACKEND_URL": runner.url + "/runner",
                        "OPENLEDGER_BACKEND_PATIENCE": "10s",
                    ])
                var killed = Killed(house: house, gateway: gateway, runner: runner, billing: billing)
                let load = try AnswerLoad(house, gateway: gateway.url, callers: 12)
                var dice = SeededGenerator(seed: load.seed)
                // One kill for each forty requests; every one of the three at least once.
                let kills = max(3, Self.requests / 40)
                for kill in 0..<kills {
                    try await load.reach(Self.requests * (kill + 1) / (kills + 1))
                    try await killed.one(kill < 3 ? kill : Int.random(in: 0..<3, using: &dice))
                }
                try await load.reach(Self.requests)
                try await killed.awaitReady()
                // And once in good order: whatever was said of an answer is paid, whether it came to its end or not.
                load.noteWords()
                try await load.reach(load.now.asked + 24)
                let ending = try await killed.stopGateway()
                #expect(ending == .exited(0), "seed \(load.seed)")
                await load.finish()
                try await killed.awaitReady()

                let now = load.now
                var books = AnswerBooks()
                try await eventually("all answers are paid", timeout: .seconds(90)) {
                    try await books.read(ledger)
                    return books.isSettled
                }
                books.check(now, seed: load.seed)
                let unpaid = now.words.subtracting(books.answers.keys)
                #expect(unpaid.isEmpty && !now.words.isEmpty, "\(unpaid) were heard and not paid, seed \(load.seed)")
                #expect(now.contradictions.isEmpty, "\(now.contradictions.prefix(5)), seed \(load.seed)")
                #expect(now.repeats > 0, "no name was told twice: \(now.told.count) told, \(now.open.count) open, seed \(load.seed)")
                #expect(now.heard.count > Self.requests / 4, "\(now.statuses), broken off \(now.brokenOff), left \(now.left)")
                for payer in 0..<AnswerLoad.payers {
                    let account = "payer:p\(payer)"
                    // What was released at the very end comes a moment later.
                    try await eventually("\(account) is even, seed \(load.seed)", timeout: .seconds(60)) {
                        try await books.read(ledger)
                        let answer = try await killed.billing.ask("GET", "/v1/accounts/\(account)")
                        let figures = try JSON.parse(answer.bytes)["assets"]?.arrayValue?.first
                        return Self.units(figures?["balance"]) == Self.deposit - books.paid[account, default: 0]
                            && Self.units(figures?["held"]) == books.open(on: account)
                    }
                }
                print(
                    "\(now.asked) requests, \(kills) kills: \(now.heard.count) heard to the end, \(books.answers.count) on the log, "
                        + "\(now.repeats) told again by their names, \(now.brokenOff) broken off, \(now.left) left, statuses \(now.statuses.sorted { $0.key < $1.key })"
                )
                await killed.stop()
                await ledger.child.stop()
            }
        }

        private static func units(_ amount: JSONValue?) -> Int128? { amount?["amount"]?.stringValue.flatMap { Int128($0) } }

        /// Payers with money, and a model with a price.
        private static func prepare(_ billing: BillingProcess, _ ledger: LedgerProcess) async throws {
            for payer in 0..<AnswerLoad.payers {
                let account = "payer:p\(payer)"
                let opened = try await billing.ask(
                    "POST", "/v1/accounts", ["account": .string(account), "asset": "USDC/6"], key: "open-\(payer)")
                try #require(opened.status == 200, "\(opened)")
                let deposit = try await billing.ask(
                    "POST", "/v1/accounts/\(account)/deposits",
                    [
                        "amount": ["asset": "USDC/6", "amount": .string("\(deposit)")], "rail": "bank", "reference": .string("r\(payer)"),
                    ], key: "deposit-\(payer)")
                try #require(deposit.status == 200, "\(deposit)")
            }
            let asset = try Asset("USDC/6")
            let model = ModelPublished(
                model: "acme/defi", version: 1, owner: "acme", base: "openledger-base", snapshots: [], retrieval: [],
                price: ModelPrice(request: Amount(10, asset), input: Amount(1_000_000, asset), output: Amount(2_000_000, asset)),
                split: ModelSplit(owner: 9_000, datanets: 0, contributors: 0, validators: 0, compute: 1_000),
                attribution: AttributionPolicy(
                    rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                    fallback: "tokens", minimumSpan: 4))
            let event = Event(
                type: ModelPublished.type, stream: try #require(StreamName("model/acme-defi")), time: Sample.now, actor: "test",
                cause: .command(id: "prepare-model", digest: .zero), ordinal: 0, correlation: "test", data: model.json)
            _ = try await ledger.client(.training).append(AppendRequest(events: [try event.encoded()]))
        }
    }
}

/// The three that are killed.
private struct Killed {
    let house: House
    var gateway: ServedProcess
    var runner: ServedProcess
    var billing: BillingProcess

    mutating func one(_ number: Int) async throws {
        switch number {
        case 0: gateway = try await gateway.killAndRestart()
        case 1: runner = try await runner.killAndRestart()
        default: billing = try await billing.killAndRestart(awaitReady: false)
        }
    }

    mutating func stopGateway() async throws -> PrivatePostgres.ExitStatus {
        let stopped = try await gateway.stopAndRestart()
        gateway = stopped.next
        return stopped.ending
    }

    func awaitReady() async throws {
        try await gateway.awaitReady()
        try await runner.awaitReady()
        try await billing.child.waitUntilReady(billing.url + "/readyz")
    }

    func stop() async {
        await gateway.child.stop()
        await runner.child.stop()
        await billing.child.stop()
    }
}

/// Answers, holds and captures as the log tells of them.
private struct AnswerBooks {
    private struct Hold {
        let account: String
        let amount: Int128
        var captures: [(reference: String, units: Int128)] = []
        var isOpen = true
    }

    private var next: UInt64 = 0
    private var holds: [String: Hold] = [:]
    private(set) var answers: [String: InferenceCompleted] = [:]
    private var doubles: [String] = []

    mutating func read(_ ledger: LedgerProcess) async throws {
        while true {
            let batch = try await ledger.client().read(from: next, limit: 1_000, wait: nil)
            if batch.events.isEmpty { return }
            for event in batch.events {
                let fact = try Fact(event)
                switch fact.type {
                case HoldPlaced.type:
                    let placed = try HoldPlaced(fact.data.object())
                    if holds[placed.id] != nil { doubles.append(placed.id) }
                    holds[placed.id] = Hold(account: placed.account.text, amount: placed.amount.units)
                case HoldCaptured.type:
                    let captured = try HoldCaptured(fact.data.object())
                    holds[captured.id]?.captures.append((captured.reference, captured.amount.units))
                    holds[captured.id]?.isOpen = false
                case HoldReleased.type: holds[try HoldReleased(fact.data.object()).id]?.isOpen = false
                case InferenceCompleted.type:
                    let answer = try InferenceCompleted(fact.data.object())
                    if answers.updateValue(answer, forKey: answer.inference) != nil { doubles.append(answer.inference) }
                default: break
                }
                next = event.position + 1
            }
        }
    }

    /// Whether every answer's fee was taken.
    var isSettled: Bool { answers.values.allSatisfy { answer in answer.hold.flatMap { holds[$0] }?.captures.isEmpty == false } }

    /// What each account has paid, by the answers alone.
    var paid: [String: Int128] {
        answers.values.reduce(into: [:]) { $0["payer:" + $1.payer, default: 0] += $1.fee.units }
    }

    /// What is still reserved: by requests that died with the gateway, until it runs out.
    func open(on account: String) -> Int128 {
        holds.values.reduce(0) { $0 + ($1.isOpen && $1.account == account ? $1.amount : 0) }
    }

    func check(_ load: AnswerLoad.State, seed: UInt64) {
        #expect(doubles.isEmpty, "twice on the log: \(doubles.prefix(5)), seed \(seed)")
        for answer in answers.values {
            guard let hold = answer.hold.flatMap({ holds[$0] }) else {
                Issue.record("\(answer.inference) has no hold, seed \(seed)")
                continue
            }
            #expect(hold.account == "payer:" + answer.payer && hold.captures.count == 1, "\(answer.inference), seed \(seed)")
            #expect(hold.captures.first?.reference == answer.inference && hold.captures.first?.units == answer.fee.units, "seed \(seed)")
        }
        let captured = holds.values.filter { !$0.captures.isEmpty }.count
        #expect(captured == answers.count, "\(captured) holds captured, \(answers.count) answers on the log, seed \(seed)")
        for (id, fee) in load.heard {
            #expect(answers[id]?.fee.units == fee, "\(id) was heard to its end and is not on the log so, seed \(seed)")
        }
    }
}
