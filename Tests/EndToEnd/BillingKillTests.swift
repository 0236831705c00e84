import BillingDomain
import Crypto
import Decisions
import EventLog
import Events
import JSON
import Money
import Postgres
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("A killed billing service")
    struct BillingKillTests {
        @Test("two instances by mistake, both and the ledger killed under load: nothing is missing, double or overdrawn")
        func killedUnderLoad() async throws {
            try await House.with { house in
                var ledger = try await house.startLedger()
                var one = try await BillingProcess.start("one", in: house, ledger: ledger.url)
                try await Self.prepare(one, ledger)
                let load = MoneyLoad([one], ledger: ledger)
                for _ in 0..<2 {
                    try await load.advance(by: 24)
                    one = try await one.killAndRestart(awaitReady: false)
                    load.use(one, at: 0)
                }
                try await load.advance(by: 12)
                ledger = try await ledger.killAndRestart()
                load.use(ledger)
                try await load.advance(by: 12)
                // The second one, by mistake: each of them answers whoever asks it.
                let two = try await BillingProcess.start("two", in: house, ledger: ledger.url, awaitReady: false)
                load.add(two)
                try await load.advance(by: 12)
                try await load.finish()
                let now = load.now
                #expect(now.contradictions.isEmpty, "the same command got two answers: \(now.contradictions.prefix(5)), seed \(load.seed)")
                #expect(now.repeated > 0, "the kills hit commands on their way: \(now.failures)")
                // All that was told is settled in the end, by whichever instance.
                var books = Books()
                try await eventually("all \(now.told.count) answers are settled", timeout: .seconds(90)) {
                    try await books.read(ledger)
                    return now.told.isSubset(of: books.settled.keys)
                }
                try books.check(now, seed: load.seed)
                try await Self.compareReadModel(books, house, one)
                try await one.compareRows()
                await one.child.stop()
                await two.child.stop()
                await ledger.child.stop()
            }
        }

        @Test("PostgreSQL killed under load: the rows are those of the log all the same, and a rebuild of them is no other")
        func databaseKilled() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let billing = try await BillingProcess.start("one", in: house, ledger: ledger.url)
                try await Self.prepare(billing, ledger)
                let load = MoneyLoad([billing], ledger: ledger)
                for _ in 0..<2 {
                    try await load.advance(by: 16)
                    try await house.cluster.kill()
                    try await house.cluster.restart()
                    try await ledger.child.waitUntilReady(ledger.url + "/readyz")
                    try await billing.child.waitUntilReady(billing.url + "/readyz")
                }
                try await load.advance(by: 16)
                try await load.finish()
                let now = load.now
                var books = Books()
                try await eventually("all \(now.told.count) answers are settled", timeout: .seconds(90)) {
                    try await books.read(ledger)
                    return now.told.isSubset(of: books.settled.keys)
                }
                try books.check(now, seed: load.seed)
                try await Self.compareReadModel(books, house, billing)
                try await billing.compareRows()
                let made = try await billing.rebuild()
                #expect(made.status.isSuccess && made.output.contains("billing.journal: the rows are new"), "\(made.output)")
                try await billing.compareRows()
                await billing.child.stop()
                await ledger.child.stop()
            }
        }

        /// Payers, one of whom is soon without money, and the terms of a model.
        private static func prepare(_ billing: BillingProcess, _ ledger: LedgerProcess) async throws {
            let asset = try Asset("USDC/6")
            for payer in 0..<MoneyLoad.payers {
                let account = "payer:p\(payer)"
                let opened = try await billing.ask(
                    "POST", "/v1/accounts", ["account": .string(account), "asset": "USDC/6"], key: "open-\(payer)")
                try #require(opened.status == 200, "\(opened)")
                let amount = payer == 0 ? "30000" : "100000000"
                let deposit = try await billing.ask(
                    "POST", "/v1/accounts/\(account)/deposits",
                    ["amount": ["asset": "USDC/6", "amount": .string(amount)], "rail": "bank", "reference": .string("r\(payer)")],
                    key: "deposit-\(payer)")
                try #require(deposit.status == 200, "\(deposit)")
            }
            let policy = DatanetPolicy(
                access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000,
                admission: "automatic", minimumQuality: 0, panel: 3, quorum: 2, voting: "role")
            let model = ModelPublished(
                model: "acme/defi", version: 1, owner: "acme", base: "base", snapshots: [], retrieval: [],
                price: ModelPrice(request: Amount(0, asset), input: Amount(1, asset), output: Amount(1, asset)),
                split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
                attribution: AttributionPolicy(
                    rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                    fallback: "tokens", minimumSpan: 4))
            let facts: [(any EventData, Service, String)] = [
                (
                    DatanetCreated(datanet: "dn_1", owner: "olga", domain: "finance", media: "text", policy: policy), .datanet,
                    "datanet/dn_1"
                ),
                (MemberGranted(datanet: "dn_1", principal: "vera", role: "validator"), .datanet, "member/dn_1-vera"),
                (model, .training, "model/acme-defi"),
            ]
            for (data, service, stream) in facts {
                let event = Event(
                    type: type(of: data).type, stream: try #require(StreamName(stream)), time: Sample.now, actor: "test",
                    cause: .command(id: "prepare-\(stream)", digest: .zero), ordinal: 0, correlation: "test", data: data.json)
                _ = try await ledger.client(service).append(AppendRequest(events: [try event.encoded()]))
            }
        }

        /// The rows that statements are made from are the fold of the same log.
        private static func compareReadModel(_ books: Books, _ house: House, _ billing: BillingProcess) async throws {
            try await eventually("the read model has seen all", timeout: .seconds(60)) {
                try await house.withOwner { owner in
                    try await owner.execute("select next from billing.projection_positions where projection = 'journal'").first?.int(0) ?? 0
                } >= Int64(books.next)
            }
            let rows = try await house.withOwner { owner in
                try await owner.execute("select account, balance::text from billing.balances where balance <> 0").map {
                    (try $0.text(0), try $0.text(1))
                }
            }
            let found = Dictionary(rows) { first, _ in first }
            var expected: [String: String] = [:]
            for account in books.state.journal.accounts where account.balance != 0 { expected[account.id.text] = String(account.balance) }
            #expect(found == expected)
        }
    }
}

/// The log read by an auditor of money: every settlement is computed again as it is read.
private struct Books {
    var state = BillingState(recomputes: true)
    var next: UInt64 = 0
    var settled: [String: Int] = [:]
    private var placed: [String: Int] = [:]
    private var captured: [String: Int128] = [:]

    mutating func read(_ ledger: LedgerProcess) async throws {
        while true {
            let batch = try await ledger.client().read(from: next, limit: 1_000, wait: nil)
            if batch.events.isEmpty { return }
            for event in batch.events {
                let fact = try Fact(event)
                if BillingState.concerns(fact.type) { try state.apply(fact) }
                switch fact.type {
                case SettlementPosted.type: settled[try SettlementPosted(fact.data.object()).reference, default: 0] += 1
                case HoldPlaced.type: placed[try HoldPlaced(fact.data.object()).id, default: 0] += 1
                case HoldCaptured.type:
                    let data = try HoldCaptured(fact.data.object())
                    captured[data.id, default: 0] += data.amount.units
                default: break
                }
                next = event.position + 1
            }
        }
    }

    func check(_ load: MoneyLoad.State, seed: UInt64) throws {
        for (asset, total) in try state.journal.totals() { #expect(total.isZero, "\(asset), seed \(seed)") }
        for account in state.journal.accounts where account.id.accountKind != .external {
            #expect(account.balance >= account.held && account.held >= 0, "\(account.id) is overdrawn, seed \(seed)")
        }
        #expect(settled.values.allSatisfy { $0 == 1 }, "settled twice: \(settled.filter { $0.value != 1 }.keys), seed \(seed)")
        #expect(state.pendingReactions().isEmpty)
        #expect(placed.values.allSatisfy { $0 == 1 })
        // What was said to be captured is, once; nothing else was.
        for (hold, part) in load.captured { #expect(captured[hold] == Int128(part), "\(hold), seed \(seed)") }
        #expect(captured.count == load.captured.count, "seed \(seed)")
        let held = load.answers.keys.filter { $0.hasPrefix("h-") }.count
        #expect(placed.count == held, "\(placed.count) holds on the log, \(held) answered; seed \(seed)")
        #expect(load.refused > 0, "nobody ever ran out of money: nothing tried the limits")
    }
}
