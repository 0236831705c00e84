import BillingDomain
import Crypto
import Events
import EVM
import TestSupport
import Testing

/// What the second edition of the rules does otherwise.
@Suite("The second edition of billing's rules")
struct EditionTests {
    @Test("what a wallet has not claimed reaches its owner's next wallet only after an epoch in which nobody could claim it")
    func rotation() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        let asset = house.asset, key = try WalletKey(1)
        let first = try key.request("alice", WalletKey.address(1))
        try house.run { try $0.setWallet(first) }
        try house.run { try $0.verifyOwner("alice", claim: "mail") }
        var number = 0
        func leaf(_ address: Int) -> Int128? {
            house.state.epoch(asset)?.leaves.first { $0.address.description == WalletKey.address(address) }.map { Int128($0.cumulative) }
        }
        func close() throws {
            number += 1
            try house.answer("i\(number)", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
            house.pass(seconds: 300_000)
            let due = house.now
            while house.state.isDue(at: due) { try house.run { try $0.sweep(now: due) } }
            try house.run { try $0.closeEpoch(asset) }
        }
        try close()
        let earned = try #require(leaf(1))
        let next = try key.request("alice", WalletKey.address(2), 1)
        try house.run { try $0.setWallet(next) }
        try close()
        // The contract may pay by the first root still: nobody else has it yet.
        #expect(leaf(1) == nil && leaf(2) == earned)
        // It did, in part, and that is booked after the second epoch.
        let part = house.amount(earned - 7)
        try house.run { try $0.claim(asset, address: WalletKey.address(1), cumulative: part, transaction: "late") }
        try close()
        #expect(leaf(1) == earned - 7)
        #expect(leaf(2) == 2 * earned + 7)
        for (index, past) in house.state.pastEpochs(asset).enumerated() {
            #expect(StandardMerkleTree(try #require(house.state.leaves(asset, epoch: index + 1)))?.rootText == past.root)
        }
        // Whatever is claimed by the books, all leaves together never promise more than what the wallets' account had.
        #expect(earned - 7 + leaf(2)! == 3 * earned)
        try house.checkInvariants()
    }

    @Test("an epoch that an older program closed is computed again by its rules, and none goes back to them")
    func olderEpoch() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 10_000_000)
        let asset = house.asset, key = try WalletKey(1)
        let first = try key.request("alice", WalletKey.address(1)), next = try key.request("alice", WalletKey.address(2), 1)
        try house.run { try $0.setWallet(first) }
        let pia = try house.account("payer:pia"), alice = try house.account("contributor:alice")
        try house.run { try $0.openAccount(alice, asset, overdraft: nil, ceiling: nil) }
        func earn() throws {
            let (plus, minus) = (house.amount(100_000), house.amount(-100_000))
            let id = "t\(house.position)"
            try house.run {
                try $0.transfer(id: id, [Posting(account: alice, amount: plus), Posting(account: pia, amount: minus)], reason: "gift")
            }
        }
        try earn()
        try house.run { try $0.closeEpoch(asset, edition: 1) }
        try house.run { try $0.setWallet(next) }
        try earn()
        // All at once, as it was done then.
        try house.run { try $0.closeEpoch(asset, edition: 1) }
        #expect(house.state.epoch(asset)?.leaves.map(\.cumulative) == [200_000])
        try earn()
        try house.run { try $0.closeEpoch(asset) }
        #expect(house.state.edition == BillingState.presentEdition)
        try earn()
        #expect(throws: BillingFault.self) {
            var state = house.state
            for event in try house.state.closeEpoch(asset, edition: 1).events { try state.evolve(event, time: house.now) }
        }
    }

    @Test("a ruling that found nothing to take is closed, and takes nothing of what is staked later")
    func closed() throws {
        var house = try House()
        try house.openPayer("vera", deposit: 1_000_000)
        let ruling = RulingMade(
            ruling: "ru_1", about: "review", subject: "s", upheld: true, penalties: [Penalty(principal: "vera", points: 10_000)],
            pool: "dn_1")
        try house.tell(ruling)
        try house.react()
        #expect(house.state.pendingReactions().isEmpty)
        guard case .reactionClosed(let closed) = house.events.last else { return #expect(Bool(false), "nothing says that it is closed") }
        #expect(closed.reaction == "ruling")
    }

    @Test("a fee that nobody settles goes back to its payer after its deadline, and an attribution that comes still later settles nothing")
    func returned() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000)
        let pia = try house.account("payer:pia"), now = house.now, fee = house.amount(400)
        try house.run { try $0.placeHold(id: "h", on: pia, fee, expires: now.later(60), model: nil, now: now) }
        try house.run { try $0.captureHold("h", fee, reference: "i1", final: true, now: now) }
        house.pass(seconds: 2_591_999)
        #expect(!house.state.isDue(at: house.now))
        house.pass(seconds: 1)
        let due = house.now
        #expect(house.state.isDue(at: due) && house.state.nextDue == due)
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("payer:pia") == 1_000 && house.balance("escrow:fees") == 0 && !house.state.isDue(at: due))
        try house.answer("i1", payer: "pia", fee: 400, shares: [("alice", 1_000_000_000)])
        #expect(house.state.isSettled("i1") && house.balance("payer:pia") == 1_000 && house.balance("pending:contributor:alice") == 0)
        try house.checkInvariants()
    }

    @Test("nothing is captured for what was settled")
    func capturedTwice() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000)
        try house.answer("i1", payer: "pia", fee: 400, shares: [("alice", 1_000_000_000)])
        let pia = try house.account("payer:pia"), now = house.now, some = house.amount(100)
        try house.run { try $0.placeHold(id: "h", on: pia, some, expires: now.later(60), model: nil, now: now) }
        #expect(throws: BillingError.exists("a settlement of i1")) {
            try house.state.captureHold("h", some, reference: "i1", final: true, now: now)
        }
    }

    @Test("what is settled long after it happened can be disputed as long as all else, by the rules of when it happened")
    func late() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000)
        try house.tell(try house.inference("i1", payer: "pia", fee: 1_000, hold: nil))
        let event = try house.tell(try house.attribution(of: "i1", [("alice", 1_000_000_000)]))
        let happened = house.now
        house.pass(seconds: 500_000)
        var rules = BillingState.standardRules
        rules.platformPoints = 9_000
        let changed = rules
        try house.run { try $0.setRules(changed) }
        try house.react()
        let settlement = try #require(house.state.settlement(event.text))
        #expect(settlement.releaseAt == happened.later(500_000 + 259_200))
        #expect(house.balance("pending:platform:house") == 50)
        let now = house.now, bond = house.amount(1)
        try house.run { try $0.refund(event.text, bond, reason: "late", now: now) }
    }

    @Test("a list that is not at hand is asked for, and not taken for one that there is not")
    func needsEvidence() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000)
        try house.tell(try house.inference("i1", payer: "pia", fee: 1_000, hold: nil))
        try house.react()
        let digest = SHA256.hash(utf8: "elsewhere")
        var attribution = try house.attribution(of: "i1", [("alice", 1_000_000_000)])
        attribution.shares = .evidence(digest, count: 201)
        let event = try house.tell(attribution), state = house.state, now = house.now
        let pending = try #require(state.pendingReactions().first { $0.event == event })
        #expect(throws: BillingError.needsEvidence(digest)) { try state.answer(to: pending, now: now) }
    }

    @Test("a dispute that nobody rules on lapses: the bond comes back, and the settlement is released")
    func lapsed() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        try house.run { try $0.verifyOwner("alice", claim: "mail") }
        let settlement = try house.answer("i1", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
        let pia = try house.account("payer:pia"), now = house.now, before = house.balance("payer:pia")
        try house.run { try $0.openDispute(id: "d", settlement: settlement, by: pia, reason: "x", evidence: .zero, now: now) }
        #expect(house.balance("payer:pia") == before - 1_000_000)
        house.pass(seconds: 7_775_999)
        let early = house.now
        #expect(!house.state.isDue(at: early))
        house.pass(seconds: 1)
        let due = house.now
        while house.state.isDue(at: due) { try house.run { try $0.sweep(now: due) } }
        #expect(house.state.dispute("d") == nil && house.balance("payer:pia") == before)
        #expect(house.balance("escrow:disputes") == 0 && house.balance("contributor:alice") > 0)
        try house.checkInvariants()
    }

    @Test("a payout is in one file for the bank, and a file can be had again by its number")
    func files() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 10_000)
        let pia = try house.account("payer:pia"), some = house.amount(100)
        for id in ["po_1", "po_2"] {
            try house.run { try $0.requestPayout(id: id, from: pia, some, rail: "bank", destination: .zero) }
        }
        try house.run { try $0.sendPayouts(on: "bank") }
        #expect(house.state.unsentPayouts(on: "bank").isEmpty)
        #expect(try house.state.sendPayouts(on: "bank").events.isEmpty)
        try house.run { try $0.requestPayout(id: "po_3", from: pia, some, rail: "bank", destination: .zero) }
        try house.run { try $0.finishPayout("po_1", paid: true, reference: "r") }
        try house.run { try $0.sendPayouts(on: "bank") }
        #expect(house.state.sentPayouts(on: "bank", batch: 1)?.map(\.id) == ["po_1", "po_2"])
        #expect(house.state.sentPayouts(on: "bank", batch: 2)?.map(\.id) == ["po_3"])
        #expect(house.state.sentPayouts(on: "bank", batch: 3) == nil && house.state.sentPayouts(on: "bank", batch: 0) == nil)
    }

    @Test("an answer's fee is taken and shared out by one decision when both are asked for")
    func together() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000)
        try house.tell(try house.inference("i1", payer: "pia", fee: 1_000, hold: nil))
        let event = try house.tell(try house.attribution(of: "i1", [("alice", 1_000_000_000)]))
        let now = house.now
        let settle = try #require(house.state.pendingReactions().first { $0.event == event })
        let events = try house.run(cause: event, at: settle.time) { try $0.answer(to: settle, now: now) }
        #expect(events.count == 2 && house.state.pendingReactions().isEmpty && house.state.isSettled("i1"))
        #expect(house.balance("payer:pia") == 9_000 && house.balance("escrow:fees") == 0)
        try house.checkInvariants()
    }
}
