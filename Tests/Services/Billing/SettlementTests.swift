import BillingDomain
import Crypto
import Events
import JSON
import Money
import TestSupport
import Testing

@Suite("Settlements")
struct SettlementTests {
    @Test("a fee reaches platform, owner, Datanet, curators, contributors, validators and compute to the last unit")
    func split() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        try house.answer("inf_1", payer: "pia", fee: 100_003, shares: [("alice", 700_000_000), ("bob", 300_000_000)])
        // 5% of 100,003 is 5,000.15; the net of 95,003 goes 20/30/30/10/10.
        #expect(house.balance("pending:platform:house") == 5_000)
        #expect(house.balance("pending:model-owner:acme") == 19_001)
        #expect(house.balance("pending:validator:vera") == 9_500)
        #expect(house.balance("pending:compute:runner-1") == 9_500)
        // The Datanets' 28,501: 14,251 treasury, 5,700 curators, 8,550 contributors; the contributors' own 28,501.
        #expect(house.balance("pending:datanet:dn_1") == 14_251)
        #expect(house.balance("pending:curator:cora") == 5_700)
        #expect(house.balance("pending:contributor:alice") == 5_985 + 19_951)
        #expect(house.balance("pending:contributor:bob") == 2_565 + 8_550)
        #expect(house.balance("payer:pia") == 899_997)
        #expect(house.balance("escrow:fees") == 0)
        try house.checkInvariants()
    }

    @Test("for generated terms and shares the parts add up to the fee, and do not depend on the order of the shares")
    func property() throws {
        var random = Seed.generator()
        let asset = try Asset("USDC/6")
        func points(_ count: Int) -> [Int] {
            var cuts = (0..<count - 1).map { _ in Int.random(in: 0...10_000, using: &random) }.sorted()
            cuts.append(10_000)
            return zip([0] + cuts, cuts).map { $1 - $0 }
        }
        for _ in 0..<300 {
            let split = points(5)
            var datanets: [String: SettlementTerms.Datanet] = [:]
            for index in 0..<Int.random(in: 1...4, using: &random) {
                let own = points(3)
                datanets["dn_\(index)"] = SettlementTerms.Datanet(
                    treasury: own[0], curating: own[1], contributing: own[2],
                    curators: (0..<Int.random(in: 0...3, using: &random)).map { "c\($0)" },
                    validators: (0..<Int.random(in: 0...3, using: &random)).map { "v\($0)" })
            }
            let terms = SettlementTerms(
                platformPoints: Int.random(in: 0...10_000, using: &random), platform: try #require(AccountID("platform:house")),
                split: ModelSplit(owner: split[0], datanets: split[1], contributors: split[2], validators: split[3], compute: split[4]),
                owner: "o", runner: "r", datanets: datanets)
            var left = 1_000_000_000
            var shares: [AttributionShare] = []
            let owners = Int.random(in: 1...30, using: &random)
            for index in 0..<owners {
                let part = index == owners - 1 ? left : Int.random(in: 0...left, using: &random)
                left -= part
                shares.append(AttributionShare(owner: "o\(index % 7)", datanet: "dn_\(index % datanets.count)", share: part))
            }
            let fee = Amount(Int128(UInt64.random(in: 0...UInt64(1) << UInt64.random(in: 0...60, using: &random), using: &random)), asset)
            let parts = try Settlement.compute(fee: fee, terms: terms, shares: shares)
            #expect(parts.values.reduce(0, +) == fee.units, "seed \(random.seed)")
            #expect(parts.values.allSatisfy { $0 >= 0 })
            #expect(try Settlement.compute(fee: fee, terms: terms, shares: shares.shuffled(using: &random)) == parts)
        }
    }

    @Test("splits that do not add up, shares that are not a whole and Datanets that nobody knows are refused")
    func badTerms() throws {
        let asset = try Asset("USDC/6")
        let fee = Amount(1_000, asset)
        var terms = SettlementTerms(
            platformPoints: 500, platform: try #require(AccountID("platform:house")),
            split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000), owner: "o",
            runner: "r",
            datanets: ["dn": .init(treasury: 10_000, curating: 0, contributing: 0, curators: [], validators: [])])
        let whole = [AttributionShare(owner: "a", datanet: "dn", share: 1_000_000_000)]
        #expect(throws: BillingError.self) {
            try Settlement.compute(fee: fee, terms: terms, shares: [AttributionShare(owner: "a", datanet: "dn", share: 999_999_999)])
        }
        #expect(throws: BillingError.notFound("Datanet dx")) {
            try Settlement.compute(fee: fee, terms: terms, shares: [AttributionShare(owner: "a", datanet: "dx", share: 1_000_000_000)])
        }
        #expect(throws: BillingError.self) { try Settlement.compute(fee: Amount(-1, asset), terms: terms, shares: whole) }
        terms.split.owner = 2_001
        let error = #expect(throws: BillingError.self) { try Settlement.compute(fee: fee, terms: terms, shares: whole) }
        #expect(error?.description.contains("10000, they add up to 10001") == true)
    }

    @Test("more than 200 entries stand in the evidence store, and the settlement still replays")
    func longList() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000_000)
        let owners = (0..<250).map { ("owner-\($0)", 4_000_000) }
        let id = try house.answer("inf_1", payer: "pia", fee: 90_000_000, shares: owners)
        let posted = house.events.compactMap { if case .settlementPosted(let data) = $0 { data } else { nil } }
        guard case .evidence(_, let count) = try #require(posted.first).postings else {
            return #expect(Bool(false), "the list is in the event")
        }
        #expect(count == 257)
        #expect(house.state.settlement(id)?.fee.units == 90_000_000)
        try house.checkInvariants()
    }

    @Test("a planted error of one unit, a second settlement and an invented one are found by the fold")
    func planted() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        try house.tell(try house.inference("inf_1", payer: "pia", fee: 100_003, hold: nil))
        try house.react()
        let event = try house.tell(try house.attribution(of: "inf_1", [("alice", 600_000_000), ("bob", 400_000_000)]))
        let pending = try #require(house.state.pendingReactions().first)
        guard case .settle(let attribution) = pending.reaction else { return #expect(Bool(false)) }
        let decision = try house.state.settle(attribution, event: event, position: pending.position, time: pending.time)
        guard case .settlementPosted(var data) = try #require(decision.events.first), case .entries(var entries) = data.postings else {
            return #expect(Bool(false))
        }
        let places = entries.indices.filter { entries[$0].amount.isPositive }
        entries[places[0]].amount = house.amount(entries[places[0]].amount.units + 1)
        entries[places[1]].amount = house.amount(entries[places[1]].amount.units - 1)
        data.postings = .entries(entries)
        var auditor = house.auditor
        let fault = #expect(throws: BillingFault.self) { try auditor.evolve(.settlementPosted(data), cause: event, time: house.now) }
        #expect(fault?.reason.contains("not what the attribution and the terms make") == true)

        try house.apply(decision.events[0], cause: event)
        auditor = house.auditor
        #expect(throws: BillingFault.self) { try auditor.evolve(decision.events[0], cause: event, time: house.now) }
        data.id = EventID(cause: "x", type: "x", ordinal: 0).text
        auditor = house.auditor
        #expect(throws: BillingFault.self) { try auditor.evolve(.settlementPosted(data), cause: event, time: house.now) }
    }

    @Test("a training is paid from its hold and shared out in the same decision")
    func training() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        let payer = try house.account("payer:pia"), amount = house.amount(500_000), now = house.now
        try house.run { try $0.placeHold(id: "hd_1", on: payer, amount, expires: now.later(60), model: nil, now: now) }
        try house.tell(
            JobCompleted(
                job: "job_1", owner: "pia", base: "base", snapshots: [], adapter: SHA256.hash(utf8: "a"),
                shares: .entries([AttributionShare(owner: "alice", datanet: "dn_1", share: 1_000_000_000)]), tokens: 1,
                fee: house.amount(400_000),
                hold: "hd_1", runner: "runner-1", record: SHA256.hash(utf8: "r")))
        try house.react()
        #expect(house.balance("payer:pia") == 600_000)
        #expect(house.state.hold("hd_1") == nil)
        #expect(house.balance("escrow:fees") == 0)
        #expect(house.balance("pending:platform:house") == 20_000)
        #expect(house.balance("pending:compute:runner-1") == 95_000)
        #expect(house.state.pendingReactions().isEmpty)
        try house.checkInvariants()
    }

    @Test("an order names a hold, and only who placed that can have it spent or set free by it")
    func anothersHold() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        try house.openPayer("mallory", deposit: 300_000)
        let payer = try house.account("payer:pia"), amount = house.amount(500_000), now = house.now
        try house.run { try $0.placeHold(id: "hd_1", on: payer, amount, expires: now.later(60), model: nil, now: now) }
        let order = { (job: String, owner: String) in
            JobRequested(
                job: job, owner: owner, base: "base", snapshots: [], settings: SHA256.hash(utf8: "s"), fee: amount, hold: "hd_1")
        }
        try house.tell(order("job_1", "mallory"))
        try house.tell(
            JobCompleted(
                job: "job_1", owner: "mallory", base: "base", snapshots: [], adapter: SHA256.hash(utf8: "a"),
                shares: .entries([AttributionShare(owner: "mallory", datanet: "dn_1", share: 1_000_000_000)]), tokens: 1, fee: amount,
                hold: "hd_1", runner: "runner-1", record: SHA256.hash(utf8: "r")))
        try house.react()
        #expect(house.balance("payer:pia") == 1_000_000 && house.state.hold("hd_1")?.left == amount)
        #expect(house.balance("payer:mallory") == 0, "who ordered pays, as far as there is something")

        try house.tell(order("job_2", "mallory"))
        try house.tell(JobCancelled(job: "job_2", hold: "hd_1"))
        try house.tell(JobFailed(job: "job_3", reason: "none", hold: "hd_1"))
        try house.react()
        #expect(house.state.hold("hd_1")?.left == amount)

        try house.tell(order("job_4", "pia"))
        try house.tell(JobCancelled(job: "job_4", hold: "hd_1"))
        try house.react()
        #expect(house.state.hold("hd_1") == nil)
        try house.checkInvariants()
    }

    @Test("terms hold as they stood when the attribution was computed")
    func termsOfThen() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        try house.tell(try house.inference("inf_1", payer: "pia", fee: 100_000, hold: nil))
        try house.react()
        try house.tell(try house.attribution(of: "inf_1", [("alice", 1_000_000_000)]))
        try house.tell(MemberRevoked(datanet: "dn_1", principal: "vera", role: "validator"))
        try house.react()
        #expect(house.balance("pending:validator:vera") == 9_500)
        try house.answer("inf_2", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
        #expect(house.balance("pending:validator:vera") == 9_500)
    }

    @Test("the price of a reading is its Datanet's, divided by the Datanet's policy, and is taken once")
    func reading() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 100_000)
        let pia = try house.account("payer:pia"), price = house.amount(10_000)
        var now = house.now
        try house.run { try $0.placeHold(id: "h", on: pia, price, expires: now.later(60), model: nil, now: now) }
        let used = AccessUsed(
            access: "ac_1", datanet: "dn_1", snapshot: "sn_1", reader: "pia", grant: "gr_1", purpose: "read", items: 2, price: price,
            hold: "h",
            shares: .entries([
                AttributionShare(owner: "alice", datanet: "dn_1", share: 750_000_000),
                AttributionShare(owner: "bob", datanet: "dn_1", share: 250_000_000),
            ]))
        let event = try house.tell(used)
        try house.tell(used)
        try house.react()
        #expect(house.state.isSettled("ac_1") && house.state.pendingReactions().isEmpty)
        #expect(house.balance("payer:pia") == 90_000 && house.balance("escrow:fees") == 0)
        guard case .settlementPosted(let posted)? = house.events.last else { return #expect(Bool(false), "nothing was settled") }
        #expect(posted.kind == "access" && posted.id == event.text && posted.fee == price)
        let (alice, bob) = (house.balance("pending:contributor:alice"), house.balance("pending:contributor:bob"))
        // Three parts and one of the thirty per cent that the Datanet leaves to contributors, after the platform's five.
        #expect(alice == 2_138 && bob == 712 && house.balance("pending:platform:house") == 500)
        #expect(house.balance("pending:datanet:dn_1") == 4_750 && house.balance("pending:curator:cora") == 1_900)
        #expect(house.balance("pending:model-owner:pia") == 0 && house.balance("pending:compute:pia") == 0)
        // Without its hold it is taken from what there is, as far as that goes.
        now = house.now
        var late = used
        (late.access, late.hold, late.price) = ("ac_2", "h", house.amount(1_000_000))
        try house.tell(late)
        try house.react()
        #expect(house.balance("payer:pia") == 0 && house.state.isSettled("ac_2"))
        try house.checkInvariants()
    }
}

extension Timestamp {
    func later(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: microseconds + seconds * 1_000_000) }
}
