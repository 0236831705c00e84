import BillingDomain
import BillingService
import Crypto
import Decisions
import EventLog
import Events
import JSON
import LedgerService
import Money
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing
import Web

/// A log whose answers get lost on the way: what was appended is there, and nobody was told.
private final class ForgetfulLog: LogClient {
    private let log: any LogClient
    private let random = Mutex(Seed.generator("forgetful"))
    let lost = Mutex(0)

    init(_ log: any LogClient) { self.log = log }

    func append(_ request: AppendRequest) async throws -> Appended {
        guard let answer = await append(all: [request]).first else { throw LogError.busy }
        return try answer.get()
    }

    func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>] {
        let answers = await log.append(all: requests)
        let isLost = random.withLock { $0.chance(0.2) }
        if isLost { lost.withLock { $0 += 1 } }
        return isLost ? answers.map { _ in .failure(LogError.unavailable("the answer is lost")) } : answers
    }

    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        try await log.read(from: position, limit: limit, wait: wait)
    }

    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        try await log.read(stream: stream, from: version, limit: limit)
    }
}

@Suite("What the billing service survives")
struct SurvivalTests {
    /// The whole log as an auditor of money folds it.
    private func books(_ desk: Desk) async throws -> (state: BillingState, settled: [String: Int]) {
        var state = BillingState(recomputes: true)
        var settled: [String: Int] = [:]
        var next: UInt64 = 0
        while true {
            let batch = try await desk.house.ledger.client(for: .billing).read(from: next, limit: 1_000, wait: nil)
            if batch.events.isEmpty { break }
            for event in batch.events {
                let fact = try Fact(event)
                if BillingState.concerns(fact.type) { try state.apply(fact) }
                if fact.type == SettlementPosted.type { settled[try SettlementPosted(fact.data.object()).reference, default: 0] += 1 }
                next = event.position + 1
            }
        }
        for (_, total) in try state.journal.totals() { #expect(total.isZero) }
        for account in state.journal.accounts where account.id.accountKind != .external { #expect(account.balance >= account.held) }
        return (state, settled)
    }

    @Test("answers of the log that get lost: commands sent again are done once, and every answer is settled once")
    func lostAnswers() async throws {
        let forgetful = Mutex<ForgetfulLog?>(nil)
        try await withBilling(log: { log, _ in
            let wrapped = ForgetfulLog(log)
            forgetful.withLock { $0 = wrapped }
            return wrapped
        }) { desk in
            func insist(_ path: String, _ body: JSONValue, _ key: String) async throws -> [UInt8] {
                for _ in 0..<100 {
                    let reply = try await desk.raw("POST", path, body, key: key)
                    if reply.status == 200 { return reply.body }
                    try #require(reply.status == 503, "\(String(decoding: reply.body, as: UTF8.self))")
                }
                throw LogError.unavailable("for ever")
            }
            let money: JSONValue = ["asset": "USDC/6", "amount": "1000000"]
            _ = try await insist("/v1/accounts", ["account": "payer:pia", "asset": "USDC/6"], "open")
            _ = try await insist("/v1/accounts/payer:pia/deposits", ["amount": money, "rail": "bank", "reference": "r"], "deposit")
            try await desk.publishModel()
            for index in 0..<30 { try await desk.answer("inf_\(index)", payer: "pia", fee: 1_003) }
            for index in 0..<60 {
                let hold: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "1000"], "seconds": 600]
                let first = try await insist("/v1/holds", hold, "hold-\(index)")
                #expect(try await insist("/v1/holds", hold, "hold-\(index)") == first)
            }
            try await eventually("all is settled", timeout: .seconds(60)) { try await books(desk).settled.count == 30 }
            let (state, settled) = try await books(desk)
            #expect(settled.values.allSatisfy { $0 == 1 })
            let pia = try #require(AccountID("payer:pia"))
            let account = try #require(state.journal.account(pia, try Asset("USDC/6")))
            #expect(account.balance == 1_000_000 - 30 * 1_003 && account.held == 60_000)
            #expect(forgetful.withLock { $0?.lost.withLock { $0 } ?? 0 } > 3)
        }
    }

    @Test("a clock that jumps: commands are refused and leave nothing, and go on once it is right; windows go by the log's time")
    func clockJumps() async throws {
        let shift = Mutex<Int64>(0)
        try await withBilling(clock: {
            Timestamp(microseconds: LedgerClock.system.now().microseconds + shift.withLock { $0 })
        }) { desk in
            try await desk.open("payer:pia", deposit: 100_000)
            try await desk.publishModel()
            let hold: JSONValue = ["account": "payer:pia", "amount": ["asset": "USDC/6", "amount": "600"], "seconds": 3_600]
            try await desk.post("/v1/holds", hold, key: "before")
            for (place, seconds) in [86_400, -86_400, 600, -600].enumerated() {
                shift.withLock { $0 = Int64(seconds) * 1_000_000 }
                let size = try await desk.house.ledger.client(for: .billing).read(from: 0, limit: 1, wait: nil).size
                let reply = try await desk.raw("POST", "/v1/holds", hold, key: "jump-\(place)")
                #expect(reply.status == 503, "\(String(decoding: reply.body, as: UTF8.self))")
                #expect(try await desk.house.ledger.client(for: .billing).read(from: 0, limit: 1, wait: nil).size == size)
                // Reactions have the time of what they answer: they go on.
                try await desk.answer("inf_\(place)", payer: "pia", fee: 1_000)
                try await eventually("inf_\(place) is settled") { try await books(desk).settled["inf_\(place)"] == 1 }
            }
            shift.withLock { $0 = 0 }
            // The hold that the clock of a day ahead would have seen as over is there, and the refused commands can be sent again.
            try await desk.post("/v1/holds", hold, key: "jump-0")
            let state = try await books(desk).state
            let pia = try #require(AccountID("payer:pia"))
            let account = try #require(state.journal.account(pia, try Asset("USDC/6")))
            #expect(account.held == 1_200 && account.balance == 96_000)
        }
    }

    @Test("events told out of order and more than once through two instances: each answer is settled once, and both are ready again")
    func reordered() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 10_000_000)
            try await desk.publishModel()
            let other = try await BillingService.open(try desk.house.context(.billing))
            let running = Task { await other.run() }
            defer { running.cancel() }
            let book = try House()
            for index in 0..<20 {
                let id = "inf_\(index)"
                let attribution = try book.attribution(of: id, [("alice", 600_000_000), ("bob", 400_000_000)])
                let inference = try book.inference(id, payer: "pia", fee: 100_003, hold: nil)
                try await desk.tell(attribution, as: .attribution, stream: "attribution/at-\(id)")
                try await desk.tell(inference, as: .agentGateway, stream: "inference/\(id)")
                try await desk.tell(inference, as: .agentGateway, stream: "inference/again-\(id)")
                try await desk.tell(attribution, as: .attribution, stream: "attribution/again-\(id)")
            }
            try await eventually("all is settled", timeout: .seconds(60)) { try await books(desk).settled.count == 20 }
            let (state, settled) = try await books(desk)
            #expect(settled.values.allSatisfy { $0 == 1 })
            #expect(state.pendingReactions().isEmpty)
            let pia = try #require(AccountID("payer:pia"))
            #expect(state.journal.account(pia, try Asset("USDC/6"))?.balance == 10_000_000 - 20 * 100_003)
            #expect(state.journal.account(.fees, try Asset("USDC/6"))?.balance == 0)
            for check in desk.service.mount.checks + other.mount.checks {
                do {
                    try await eventually("\(check.name) is ready") { await check.state() == .ready }
                } catch {
                    Issue.record("\(check.name): \(await check.state())")
                }
            }
        }
    }
}
