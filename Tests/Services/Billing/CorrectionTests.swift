import BillingDomain
import Crypto
import Events
import Money
import TestSupport
import Testing

@Suite("Corrected attributions, and what is told twice")
struct CorrectionTests {
    private func houseWithAnswer() throws -> (House, String) {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        let id = try house.answer("i1", payer: "pia", fee: 100_003, shares: [("alice", 600_000_000), ("bob", 400_000_000)])
        return (house, id)
    }

    @Test("the difference moves between what accounts have pending, and the auditor computes it again")
    func difference() throws {
        let (made, id) = try houseWithAnswer()
        var house = made
        let before = house.balance("pending:contributor:alice")
        try house.correct("at-i1", [("bob", 1_000_000_000)])
        #expect(house.balance("pending:contributor:alice") == 0)
        #expect(house.balance("pending:contributor:bob") == 8_550 + 28_501)
        #expect(before > 0)
        let corrected = house.events.compactMap { if case .settlementCorrected(let data) = $0 { data } else { nil } }
        #expect(corrected.count == 1 && corrected[0].settlement == id && !corrected[0].late)
        #expect(corrected[0].postings.count == 2)
        #expect(house.state.pendingReactions().isEmpty)
        // Who had nothing may have a share now.
        try house.correct("at-i1", [("alice", 500_000_000), ("carl", 500_000_000)])
        #expect(house.balance("pending:contributor:bob") == 0)
        #expect(house.balance("pending:contributor:carl") == 4_275 + 14_250)
        // What comes after goes along the new split.
        let all = house.amount(100_003), now = house.now
        try house.run { try $0.refund(id, all, reason: "x", now: now) }
        #expect(house.balance("payer:pia") == 10_000_000)
        for account in house.state.journal.accounts where account.id.accountKind == .pending { #expect(account.balance == 0) }
        try house.checkInvariants()
    }

    @Test("after a refund only what is left of the fee is shared out anew")
    func afterRefund() throws {
        let (made, id) = try houseWithAnswer()
        var house = made
        let half = house.amount(50_003), now = house.now
        try house.run { try $0.refund(id, half, reason: "x", now: now) }
        try house.correct("at-i1", [("bob", 1_000_000_000)])
        let pending = house.state.journal.accounts.filter { $0.id.accountKind == .pending }.reduce(Int128(0)) { $0 + $1.balance }
        #expect(pending == 50_000)
        #expect(house.balance("pending:contributor:alice") == 0)
        #expect(house.balance("pending:contributor:bob") == 4_275 + 14_250)
        try house.checkInvariants()
    }

    @Test("once the holdback is over a correction moves nothing, and says so")
    func late() throws {
        let (made, id) = try houseWithAnswer()
        var house = made
        house.pass(seconds: 259_200)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        let balances = house.state.journal.accounts.map(\.balance)
        try house.correct("at-i1", [("bob", 1_000_000_000)])
        #expect(house.state.journal.accounts.map(\.balance) == balances)
        guard case .settlementCorrected(let data)? = house.events.last else { return #expect(Bool(false), "it is not answered") }
        #expect(data.late && data.settlement == id && data.postings.count == 0)
        #expect(house.state.pendingReactions().isEmpty)
    }

    @Test("who contests another's settlement gets the bond back, the fee stays, and the correction still finds it")
    func ruling() throws {
        let (made, id) = try houseWithAnswer()
        var house = made
        try house.openPayer("carl", deposit: 5_000_000)
        let carl = try house.account("payer:carl"), now = house.now
        try house.run { try $0.openDispute(id: "d1", settlement: id, by: carl, reason: "shares", evidence: .zero, now: now) }
        #expect(house.balance("payer:carl") == 4_000_000)
        house.pass(seconds: 400_000)
        try house.tell(
            RulingMade(
                ruling: "ru_1", about: "dispute", subject: "d1", upheld: true, penalties: [Penalty(principal: "alice", points: 100)],
                reason: nil, pool: nil))
        try house.react()
        #expect(house.balance("payer:carl") == 5_000_000)
        #expect(house.balance("payer:pia") == 10_000_000 - 100_003)
        #expect(!house.state.isDue(at: house.now))
        try house.correct("at-i1", [("carl", 1_000_000_000)])
        #expect(house.balance("pending:contributor:alice") == 0)
        house.pass(seconds: 3_600)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("platform:house") == 5_000)
        try house.checkInvariants()
    }

    @Test("a planted error of one unit in a correction is found by the fold")
    func planted() throws {
        var house = try houseWithAnswer().0
        let event = try house.tell(
            AttributionCorrected(
                attribution: "at-i1", ruling: "ru",
                shares: .entries([AttributionShare(owner: "bob", datanet: "dn_1", share: 1_000_000_000)]),
                evidence: .zero))
        let pending = try #require(house.state.pendingReactions().first)
        guard case .correct(let correction) = pending.reaction else { return #expect(Bool(false)) }
        let decision = try house.state.correct(correction, event: event, position: pending.position)
        guard case .settlementCorrected(var data) = try #require(decision.events.first), case .entries(var entries) = data.postings else {
            return #expect(Bool(false))
        }
        for (index, difference) in [(0, 1), (1, -1)] {
            entries[index].amount = house.amount(entries[index].amount.units + Int128(difference))
        }
        data.postings = .entries(entries)
        var auditor = house.auditor
        #expect(throws: BillingFault.self) { try auditor.evolve(.settlementCorrected(data), cause: event, time: house.now) }
        try house.apply(decision.events[0], cause: event)
        var again = house.auditor
        #expect(throws: BillingFault.self) { try again.evolve(decision.events[0], cause: event, time: house.now) }
    }

    @Test("an answer and an attribution told again, before or after the settlement, change nothing")
    func repeated() throws {
        var house = try houseWithAnswer().0
        let balances = house.state.journal.accounts.map(\.balance)
        try house.tell(try house.inference("i1", payer: "pia", fee: 100_003, hold: nil))
        try house.tell(try house.attribution(of: "i1", [("mallory", 1_000_000_000)]))
        #expect(house.state.pendingReactions().isEmpty)
        // And both twice before anything is settled: the first attribution counts.
        try house.tell(try house.inference("i2", payer: "pia", fee: 1_000, hold: nil))
        try house.tell(try house.inference("i2", payer: "pia", fee: 9_000, hold: nil))
        try house.tell(try house.attribution(of: "i2", [("alice", 1_000_000_000)]))
        try house.tell(try house.attribution(of: "i2", [("mallory", 1_000_000_000)]))
        try house.react()
        #expect(house.state.pendingReactions().isEmpty)
        #expect(house.balance("pending:contributor:mallory") == 0)
        #expect(house.balance("payer:pia") == 10_000_000 - 100_003 - 1_000)
        #expect(house.balance("escrow:fees") == 0)
        #expect(house.state.journal.accounts.count >= balances.count)
        try house.checkInvariants()
    }

    @Test("an attribution that comes before its answer waits for it, as does a correction before the settlement")
    func reordered() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        let attribution = try house.tell(try house.attribution(of: "i1", [("alice", 1_000_000_000)]))
        try house.tell(
            AttributionCorrected(
                attribution: "at-i1", ruling: "ru",
                shares: .entries([AttributionShare(owner: "bob", datanet: "dn_1", share: 1_000_000_000)]),
                evidence: .zero))
        let waiting = house.state
        for pending in waiting.pendingReactions() {
            #expect(throws: BillingError.self) {
                switch pending.reaction {
                case .settle(let data): try waiting.settle(data, event: pending.event, position: pending.position, time: pending.time)
                case .correct(let data): try waiting.correct(data, event: pending.event, position: pending.position)
                default: Decision.nothing
                }
            }
        }
        #expect(waiting.pendingReactions(without: [attribution]).count == 1)
        try house.tell(try house.inference("i1", payer: "pia", fee: 100_003, hold: nil))
        let charge = try #require(house.state.pendingReactions().last), now = house.now
        guard case .charge(let inference) = charge.reaction else { return #expect(Bool(false)) }
        try house.run(cause: charge.event) { try $0.charge(inference, id: charge.event.text, now: now) }
        try house.react()
        #expect(house.balance("pending:contributor:alice") == 0)
        #expect(house.balance("pending:contributor:bob") == 8_550 + 28_501)
        #expect(house.state.pendingReactions().isEmpty)
        try house.checkInvariants()
    }

    @Test("several holds are placed and captured at once, all of them or none, and the error says which")
    func batches() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000)
        try house.openPayer("vic", deposit: 1_000)
        let pia = try house.account("payer:pia"), vic = try house.account("payer:vic"), now = house.now
        func hold(_ id: String, _ account: AccountID, _ units: Int128) -> HoldRequest {
            HoldRequest(id: id, account: account, amount: house.amount(units), expires: now.later(60))
        }
        let much = [hold("a", pia, 600), hold("b", vic, 600), hold("c", pia, 401)]
        #expect(throws: BillingError.at(2, .insufficient(pia, wanted: house.amount(401), available: house.amount(400)))) {
            try house.state.placeHolds(much, now: now)
        }
        #expect(throws: BillingError.at(0, .notPositive("the amount of a hold"))) {
            try house.state.placeHolds([hold("a", pia, 0)], now: now)
        }
        #expect(throws: BillingError.invalid(field: "holds", reason: "must have 1 to 500 members")) {
            try house.state.placeHolds([], now: now)
        }
        let fits = [hold("a", pia, 600), hold("b", vic, 600), hold("c", pia, 400)]
        try house.run { try $0.placeHolds(fits, now: now) }
        #expect(house.state.journal.available(pia, house.asset).isZero)
        let (five, four) = (house.amount(500), house.amount(400))
        for (captures, place) in [
            ([CaptureRequest(hold: "a", amount: five, reference: "r"), CaptureRequest(hold: "a", amount: five, reference: "s")], 1),
            ([CaptureRequest(hold: "a", amount: five, reference: "r"), CaptureRequest(hold: "b", amount: five, reference: "r")], 1),
            ([CaptureRequest(hold: "c", amount: five, reference: "r")], 0), ([CaptureRequest(hold: "d", amount: five, reference: "r")], 0),
        ] {
            let error = #expect(throws: BillingError.self) { try house.state.captureHolds(captures, now: now) }
            guard case .at(place, _)? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        }
        let captures = [
            CaptureRequest(hold: "a", amount: five, reference: "r"), CaptureRequest(hold: "b", amount: four, reference: "s", final: false),
        ]
        try house.run { try $0.captureHolds(captures, now: now) }
        #expect(house.state.hold("a") == nil && house.state.hold("b")?.left.units == 200)
        #expect(house.balance("payer:pia") == 500 && house.balance("escrow:fees") == 900)
        try house.checkInvariants()
    }
}
