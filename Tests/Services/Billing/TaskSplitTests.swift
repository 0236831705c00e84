import BillingDomain
import Crypto
import Events
import Money
import Testing

/// What a task gives a Datanet is divided by that Datanet's own terms, among treasury, curators and contributors.
@Suite("Tasks' parts for Datanets")
struct TaskSplitTests {
    private static func task(_ house: House, _ payouts: [(String, Int128)], number: Int = 0) throws -> TaskCompleted {
        let sum = house.amount(payouts.reduce(0) { $0 + $1.1 })
        return TaskCompleted(
            task: "tk_1", root: "tk_1", milestone: number, by: "pia", client: "pia", provider: "bot", payer: "pia", amount: sum,
            payouts: try payouts.map { TaskPayout(account: try house.account($0.0), amount: house.amount($0.1)) }, isOver: false,
            frees: false, spent: sum)
    }

    private static func snapshot(_ shares: EvidenceList<AttributionShare>?, number: Int = 1) -> SnapshotPublished {
        SnapshotPublished(
            datanet: "dn_1", snapshot: "sn_\(number)", number: number, root: SHA256.hash([1]), manifest: SHA256.hash([2]), items: 2,
            tokens: 9,
            owners: 2, list: SHA256.hash([3]), shares: shares)
    }

    private static func shares(_ parts: [(String, Int)]) -> EvidenceList<AttributionShare> {
        .entries(parts.map { AttributionShare(owner: $0.0, datanet: "dn_1", share: $0.1) })
    }

    private func house(_ snapshots: [EvidenceList<AttributionShare>?]) throws -> House {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        for (index, shares) in snapshots.enumerated() { try house.tell(Self.snapshot(shares, number: index + 1)) }
        return house
    }

    @Test("the treasury, the curators and who wrote what is in the newest snapshot get theirs, and nothing is lost")
    func split() throws {
        let old = Self.shares([("zoe", 1_000_000_000)]), new = Self.shares([("alice", 600_000_000), ("bob", 400_000_000)])
        var house = try house([old, new])
        try house.tell(try Self.task(house, [("datanet:dn_1", 10_001), ("model-owner:acme", 5_000), ("payer:bot", 20_000)]))
        try house.react()
        // 10,001 by 5,000, 2,000 and 3,000: 5,000.5, 2,000.2 and 3,000.3; the contributors' 3,000 by 6 to 4.
        #expect(house.balance("pending:datanet:dn_1") == 5_001 && house.balance("pending:curator:cora") == 2_000)
        #expect(house.balance("pending:contributor:alice") == 1_800 && house.balance("pending:contributor:bob") == 1_200)
        #expect(house.balance("pending:contributor:zoe") == 0)
        #expect(house.balance("pending:model-owner:acme") == 5_000 && house.balance("pending:payer:bot") == 20_000)
        #expect(house.balance("payer:pia") == 10_000_000 - 35_001 && house.balance("escrow:fees") == 0)
        guard case .settlementPosted(let posted)? = house.events.last else { return #expect(Bool(false), "nothing was settled") }
        #expect(posted.kind == "task" && posted.edition == 3)
        try house.checkInvariants()

        // A snapshot that comes after the work was accepted changes nothing of it; a refund is taken from each in proportion.
        try house.tell(Self.snapshot(old, number: 3))
        let (amount, now) = (house.amount(35_001), house.now)
        try house.run { try $0.refund(posted.id, amount, reason: "all", now: now) }
        #expect(house.balance("pending:contributor:alice") == 0 && house.balance("pending:datanet:dn_1") == 0)
        #expect(house.balance("payer:pia") == 10_000_000)
    }

    @Test("before the first snapshot that says whose work it is, what is the contributors' stays in the treasury")
    func nobody() throws {
        for snapshots in [[], [EvidenceList<AttributionShare>?.none]] {
            var house = try house(snapshots)
            try house.tell(try Self.task(house, [("datanet:dn_1", 10_000), ("payer:bot", 1)]))
            try house.react()
            #expect(house.balance("pending:datanet:dn_1") == 8_000 && house.balance("pending:curator:cora") == 2_000)
            try house.checkInvariants()
        }
    }

    @Test("terms are those of when the work was accepted, and money that is short is divided in proportion")
    func terms() throws {
        var house = try house([Self.shares([("alice", 1_000_000_000)])])
        let task = try Self.task(house, [("datanet:dn_1", 8_000_000), ("payer:bot", 12_000_000)])
        try house.tell(task)
        try house.tell(MemberRevoked(datanet: "dn_1", principal: "cora", role: "curator"))
        try house.react()
        // 10,000,000 of 20,000,000 could be had: the Datanet's 4,000,000 by 5, 2 and 3.
        #expect(house.balance("pending:datanet:dn_1") == 2_000_000 && house.balance("pending:curator:cora") == 800_000)
        #expect(house.balance("pending:contributor:alice") == 1_200_000 && house.balance("pending:payer:bot") == 6_000_000)
        try house.checkInvariants()
    }

    @Test("owners that are too many for an event are read from the evidence store")
    func many() throws {
        let (list, bytes) = try EvidenceList.of(
            (0..<250).map { AttributionShare(owner: "o\($0 + 100)", datanet: "dn_1", share: 4_000_000) })
        var house = try house([list])
        let task = try Self.task(house, [("datanet:dn_1", 1_000_000)])
        try house.tell(task)
        let pending = try #require(house.state.pendingReactions().first)
        #expect(throws: BillingError.self) { try house.state.answer(to: pending, now: house.now) }
        house.shelf.put(SHA256.hash(try #require(bytes)), try #require(bytes))
        try house.react()
        #expect(house.balance("pending:contributor:o349") == 1_200 && house.balance("pending:datanet:dn_1") == 500_000)
        try house.checkInvariants()
    }

    @Test("what was settled before is computed again by its own rules, and no settlement goes back to them")
    func older() throws {
        var house = try house([Self.shares([("alice", 1_000_000_000)])])
        try house.tell(try Self.task(house, [("datanet:dn_1", 10_000)]))
        let pending = try #require(house.state.pendingReactions().first)
        try house.run(cause: pending.event, at: pending.time) { try $0.answer(to: pending, now: pending.time, edition: 2) }
        #expect(house.balance("pending:datanet:dn_1") == 10_000 && house.state.edition == 2)
        try house.tell(try Self.task(house, [("datanet:dn_1", 10_000)], number: 1))
        try house.react()
        #expect(house.balance("pending:datanet:dn_1") == 15_000 && house.balance("pending:contributor:alice") == 3_000)
        #expect(house.state.edition == 3)
        try house.tell(try Self.task(house, [("datanet:dn_1", 10_000)], number: 2))
        let next = try #require(house.state.pendingReactions().first)
        let decision = try house.state.answer(to: next, now: next.time, edition: 2)
        #expect(throws: BillingFault.self) {
            var state = house.state
            for event in decision.events { try state.evolve(event, cause: next.event, time: next.time) }
        }
    }

    @Test("an audit finds a Datanet's part that went to its treasury alone, or to a stranger")
    func audited() throws {
        var house = try house([Self.shares([("alice", 1_000_000_000)])])
        try house.tell(try Self.task(house, [("datanet:dn_1", 10_000)]))
        let pending = try #require(house.state.pendingReactions().first)
        let honest = try house.state.answer(to: pending, now: pending.time)
        for (account, units) in [("pending:datanet:dn_1", 10_000), ("pending:contributor:mallory", 10_000)] as [(String, Int128)] {
            let postings = [
                Posting(account: .fees, amount: house.amount(-units)),
                Posting(account: try house.account(account), amount: house.amount(units)),
            ]
            #expect(throws: BillingFault.self) {
                var auditor = house.auditor
                for event in honest.events {
                    guard case .settlementPosted(var data) = event else {
                        try auditor.evolve(event, cause: pending.event, time: pending.time)
                        continue
                    }
                    data.postings = .entries(postings)
                    try auditor.evolve(.settlementPosted(data), cause: pending.event, time: pending.time)
                }
            }
        }
        var auditor = house.auditor
        for event in honest.events { try auditor.evolve(event, cause: pending.event, time: pending.time) }
    }
}
