import BillingDomain
import Crypto
import Events
import Money
import TestSupport
import Testing

@Suite("Rules of billing")
struct RuleTests {
    @Test("holds reserve, are captured in parts, released, and expire on log time")
    func holds() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000)
        let pia = try house.account("payer:pia"), now = house.now
        let (all, half, some) = (house.amount(1_000), house.amount(500), house.amount(200))
        try house.run { try $0.placeHold(id: "h1", on: pia, half, expires: now.later(60), model: nil, now: now) }
        #expect(throws: BillingError.insufficient(pia, wanted: all, available: half)) {
            try house.state.placeHold(id: "h2", on: pia, all, expires: now.later(60), model: nil, now: now)
        }
        try house.run { try $0.captureHold("h1", some, reference: "r1", final: false, now: now) }
        #expect(house.state.hold("h1")?.left.units == 300)
        #expect(throws: BillingError.beyond(what: "the hold h1", wanted: half, left: house.amount(300))) {
            try house.state.captureHold("h1", half, reference: "r1", final: false, now: now)
        }
        #expect(throws: BillingError.holdExpired("h1", at: now.later(60))) {
            try house.state.captureHold("h1", some, reference: "r1", final: false, now: now.later(60))
        }
        #expect(!house.state.isDue(at: now.later(59)))
        house.pass(seconds: 60)
        let later = house.now
        try house.run { try $0.sweep(now: later) }
        #expect(house.state.hold("h1") == nil)
        #expect(house.state.journal.available(pia, house.asset).units == 800)
        #expect(throws: BillingError.self) { try house.state.releaseHold("h1") }
        try house.checkInvariants()
    }

    @Test("bad amounts, assets and accounts have their own errors")
    func badInput() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000)
        let pia = try house.account("payer:pia"), nobody = try house.account("payer:nobody"), escrow = try house.account("escrow:fees")
        let euro = try Asset("EUR/2")
        let now = house.now, state = house.state
        let one = house.amount(1)
        #expect(throws: BillingError.unknownAccount(nobody, house.asset)) {
            try state.deposit(id: "d", to: nobody, one, rail: "bank", reference: "x")
        }
        #expect(throws: BillingError.unknownAccount(pia, euro)) {
            try state.deposit(id: "d", to: pia, Amount(1, euro), rail: "bank", reference: "x")
        }
        #expect(throws: BillingError.notPositive("the amount of a deposit")) {
            try state.deposit(id: "d", to: pia, Amount(-1, one.asset), rail: "bank", reference: "x")
        }
        #expect(throws: BillingError.exists("the deposit ref-pia of bank")) {
            try state.deposit(id: "d", to: pia, one, rail: "bank", reference: "ref-pia")
        }
        #expect(throws: BillingError.money(.overflow(one.asset))) {
            try state.deposit(id: "d", to: pia, Amount(.max, one.asset), rail: "bank", reference: "x")
        }
        #expect(throws: BillingError.notPositive("the amount of a hold")) {
            try state.placeHold(id: "h", on: pia, house.amount(0), expires: now.later(1), model: nil, now: now)
        }
        #expect(throws: BillingError.self) { try state.placeHold(id: "h", on: escrow, one, expires: now.later(1), model: nil, now: now) }
        #expect(throws: BillingError.self) { try state.placeHold(id: "h", on: pia, one, expires: now, model: nil, now: now) }
        #expect(throws: BillingError.unbalanced(one.asset)) {
            try state.transfer(id: "t", [Posting(account: pia, amount: one)], reason: "x")
        }
        #expect(throws: BillingError.self) {
            try state.transfer(
                id: "t", [Posting(account: escrow, amount: Amount(-1, one.asset)), Posting(account: pia, amount: one)], reason: "x")
        }
        #expect(throws: BillingError.notFound("settlement s")) { try state.refund("s", one, reason: "x", now: now) }
        #expect(throws: BillingError.self) { try state.openAccount(escrow, one.asset, overdraft: nil, ceiling: nil) }
    }

    @Test("usage is charged by tier after the free quota, at the price of when its hold was placed")
    func prices() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000_000)
        let pia = try house.account("payer:pia"), now = house.now, asset = house.asset, limit = house.amount(100_000)
        let meter = MeterPrice(
            meter: "input-tokens", per: 1_000,
            tiers: [PriceTier(upTo: 1_000, units: 0), PriceTier(upTo: 3_000, units: 500), PriceTier(units: 100)])
        try house.run { try $0.publishPrice(model: "m", asset: asset, meters: [meter]) }
        func use(_ quantity: Int, _ hold: String) throws -> Int128 {
            let before = house.balance("payer:pia")
            try house.run { try $0.placeHold(id: hold, on: pia, limit, expires: now.later(60), model: "m", now: now) }
            try house.run {
                try $0.captureUsage(hold, [MeterQuantity(meter: "input-tokens", quantity: quantity)], reference: "r-" + hold, now: now)
            }
            return before - house.balance("payer:pia")
        }
        #expect(try use(800, "h1") == 0)
        // 200 free, 2,000 at 0.5, 1,001 at 0.1: 1,100.1 rounded up.
        #expect(try use(3_201, "h2") == 1_101)
        #expect(try use(1, "h3") == 1)
        try house.run { try $0.placeHold(id: "old", on: pia, limit, expires: now.later(60), model: "m", now: now) }
        let dear = MeterPrice(meter: "input-tokens", per: 1, tiers: [PriceTier(units: 1_000)])
        try house.run { try $0.publishPrice(model: "m", asset: asset, meters: [dear]) }
        let before = house.balance("payer:pia")
        try house.run { try $0.captureUsage("old", [MeterQuantity(meter: "input-tokens", quantity: 10)], reference: "r-old", now: now) }
        #expect(before - house.balance("payer:pia") == 1)
        // A hold is the most that usage can take.
        #expect(try use(1_000, "h5") == 100_000)
        let open = PriceTier(units: 1)
        for bad in [
            [MeterPrice](), [MeterPrice(meter: "x", per: 0, tiers: [open])], [MeterPrice(meter: "x", per: 1, tiers: [])],
            [MeterPrice(meter: "x", per: 1, tiers: [PriceTier(upTo: 5, units: 1), PriceTier(upTo: 5, units: 1), open])],
        ] {
            #expect(throws: BillingError.self) { try house.state.publishPrice(model: "m", asset: asset, meters: bad) }
        }
    }

    @Test("requests, tokens and seconds are charged together, each by its own meter, and the free quota comes back with the month")
    func meters() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000_000)
        let pia = try house.account("payer:pia"), asset = house.asset, limit = house.amount(100_000)
        let meters = [
            MeterPrice(meter: "requests", per: 1, tiers: [PriceTier(upTo: 1, units: 0), PriceTier(units: 7)]),
            MeterPrice(meter: "output-tokens", per: 100, tiers: [PriceTier(units: 50)]),
            MeterPrice(meter: "seconds", per: 1, tiers: [PriceTier(upTo: 10, units: 20), PriceTier(units: 3)]),
        ]
        try house.run { try $0.publishPrice(model: "m", asset: asset, meters: meters) }
        func use(_ hold: String, _ tokens: Int, seconds: Int) throws -> Int128 {
            let before = house.balance("payer:pia"), now = house.now
            try house.run { try $0.placeHold(id: hold, on: pia, limit, expires: now.later(60), model: "m", now: now) }
            let used = [
                MeterQuantity(meter: "requests", quantity: 1), MeterQuantity(meter: "output-tokens", quantity: tokens),
                MeterQuantity(meter: "seconds", quantity: seconds),
            ]
            try house.run { try $0.captureUsage(hold, used, reference: "r-" + hold, now: now) }
            return before - house.balance("payer:pia")
        }
        #expect(try use("h1", 10, seconds: 4) == 0 + 5 + 80)
        #expect(try use("h2", 1, seconds: 8) == 7 + 1 + 6 * 20 + 2 * 3)
        house.pass(seconds: 31 * 86_400)
        #expect(try use("h3", 0, seconds: 1) == 0 + 0 + 20)
    }

    @Test("what is settled is pending until holdback is over, and longer for owners that nobody has verified")
    func holdback() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        let id = try house.answer("i1", payer: "pia", fee: 100_000, shares: [("alice", 500_000_000), ("bob", 500_000_000)])
        try house.tell(KeyRotated(principal: "alice", verified: "mail"))
        house.pass(seconds: 259_199)
        #expect(!house.state.isDue(at: house.now))
        house.pass(seconds: 1)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        let alice = house.balance("contributor:alice")
        #expect(alice == 4_275 + 14_250)
        #expect(house.balance("pending:contributor:alice") == 0)
        #expect(house.balance("contributor:bob") == 0)
        #expect(house.balance("pending:contributor:bob") == alice)
        #expect(house.balance("platform:house") == 5_000)
        #expect(throws: BillingError.windowOver(id)) { try house.state.refund(id, house.amount(1), reason: "x", now: due) }
        try house.run { try $0.verifyOwner("bob", claim: "domain") }
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("contributor:bob") == alice)
        #expect(!house.state.isDue(at: due))
        try house.checkInvariants()
    }

    @Test("refunds flow back along the split, in parts and to the last unit, and no further")
    func refunds() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 1_000_000)
        let id = try house.answer("i1", payer: "pia", fee: 100_003, shares: [("alice", 1), ("bob", 999_999_999)])
        let now = house.now
        for part: Int128 in [1, 33_333, 7, 66_661] {
            let amount = house.amount(part)
            try house.run { try $0.refund(id, amount, reason: "late", now: now) }
            try house.checkInvariants()
        }
        #expect(house.balance("payer:pia") == 999_999)
        #expect(throws: BillingError.beyond(what: "the fee of \(id) after earlier refunds", wanted: house.amount(2), left: house.amount(1)))
        {
            try house.state.refund(id, house.amount(2), reason: "late", now: now)
        }
        let last = house.amount(1)
        try house.run { try $0.refund(id, last, reason: "late", now: now) }
        #expect(house.balance("payer:pia") == 1_000_000)
        for account in house.state.journal.accounts where account.id.accountKind == .pending { #expect(account.balance == 0) }
    }

    @Test("a dispute keeps a settlement back until a ruling, and its loser pays")
    func disputes() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        let first = try house.answer("i1", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
        let second = try house.answer("i2", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
        let pia = try house.account("payer:pia"), now = house.now, evidence = SHA256.hash(utf8: "e")
        try house.run { try $0.openDispute(id: "d1", settlement: first, by: pia, reason: "wrong", evidence: evidence, now: now) }
        try house.run { try $0.openDispute(id: "d2", settlement: second, by: pia, reason: "wrong", evidence: evidence, now: now) }
        #expect(throws: BillingError.self) {
            try house.state.openDispute(id: "d3", settlement: first, by: pia, reason: "wrong", evidence: evidence, now: now)
        }
        house.pass(seconds: 400_000)
        #expect(!house.state.isDue(at: house.now))
        try house.run { try $0.resolveDispute("d1", upheld: true, refund: nil, ruling: "r1") }
        try house.run { try $0.resolveDispute("d2", upheld: false, refund: nil, ruling: "r2") }
        #expect(house.balance("payer:pia") == 10_000_000 - 100_000 - 1_000_000)
        #expect(house.balance("platform:house") == 1_000_000)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("datanet:dn_1") == 14_250)
        let third = house.now
        #expect(throws: BillingError.windowOver(first)) {
            try house.state.openDispute(id: "d4", settlement: first, by: pia, reason: "wrong", evidence: evidence, now: third)
        }
        try house.checkInvariants()
    }

    @Test("a runner whose work is refuted loses all that it staked for it, what is being unbonded too, and nobody else does")
    func refuted() throws {
        var house = try House()
        try house.openPayer("rita", deposit: 10_000)
        try house.openPayer("ritas", deposit: 10_000)
        let rita = try house.account("payer:rita"), other = try house.account("payer:ritas"), now = house.now
        let (three, one) = (house.amount(3_000), house.amount(1_000))
        try house.run { try $0.bond(three, from: rita, in: "runners") }
        try house.run { try $0.bond(one, from: rita, in: "dn_1") }
        try house.run { try $0.bond(one, from: other, in: "runners") }
        try house.run { try $0.unbond(id: "u1", one, of: rita, in: "runners", now: now) }
        let hash = SHA256.hash(utf8: "adapter")
        var checked = JobChecked(
            job: "job_1", runner: "rita", checker: "runner", method: "repeat", adapter: hash, found: hash, agrees: true)
        try house.tell(checked)
        #expect(house.state.pendingReactions().isEmpty)
        // Work that is what its runner says, and of no use, costs no stake.
        (checked.found, checked.agrees, checked.reason) = (SHA256.hash(utf8: "other"), false, "no-gain")
        try house.tell(checked)
        try house.react()
        #expect(house.state.stake(rita, in: "runners", house.asset).units == 2_000)
        checked.reason = "adapter"
        try house.tell(checked)
        try house.react()
        #expect(house.state.pendingReactions().isEmpty)
        #expect(house.state.stake(rita, in: "runners", house.asset).units == 0)
        #expect(house.state.stake(rita, in: "dn_1", house.asset).units == 1_000)
        #expect(house.state.stake(other, in: "runners", house.asset).units == 1_000)
        #expect(house.balance("platform:house") == 3_000)
        house.pass(seconds: 604_800)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("payer:rita") == 6_000)
        // With nothing left there is nothing to take.
        checked.job = "job_2"
        try house.tell(checked)
        try house.react()
        #expect(house.balance("platform:house") == 3_000)
        try house.checkInvariants()
    }

    @Test("a ruling takes stake in the pool that it names alone, and what is being unbonded too")
    func rulingOnStakes() throws {
        var house = try House()
        let pia = try house.account("validator:pia"), (asset, now) = (house.asset, house.now)
        let (all, amount, part) = (house.amount(10_000), house.amount(4_000), house.amount(3_000))
        try house.run { try $0.openAccount(pia, asset, overdraft: nil, ceiling: nil) }
        try house.run { try $0.deposit(id: "dep-pia", to: pia, all, rail: "bank", reference: "ref-pia") }
        for pool in ["dn_1", "dn_2"] { try house.run { try $0.bond(amount, from: pia, in: pool) } }
        // Asked back after the vote: it answers for the vote all the same.
        try house.run { try $0.unbond(id: "u1", part, of: pia, in: "dn_1", now: now) }
        let ruling = RulingMade(
            ruling: "ru_1", about: "review", subject: "rv_1", upheld: true, penalties: [Penalty(principal: "pia", points: 5_000)],
            pool: "dn_1")
        try house.run { try $0.penalise(ruling) }
        #expect(house.balance("platform:house") == 2_000, "half of what was bonded and of what was being unbonded")
        #expect(house.state.stake(pia, in: "dn_1", house.asset).units == 0)
        #expect(house.state.stake(pia, in: "dn_2", house.asset).units == 4_000)
        house.pass(seconds: 604_800)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("validator:pia") == 4_000)
        try house.checkInvariants()
    }

    @Test("an account stakes in few assets in one pool, so that a ruling can take all of it at once")
    func stakedAssets() throws {
        var house = try House()
        let pia = try AccountID(.payer, "pia")
        let now = house.now
        func amount(_ place: Int) throws -> Amount { Amount(100, try Asset("A\(place)/2")) }
        for place in 0..<6 {
            let fund = try amount(place)
            try house.run { try $0.openAccount(pia, fund.asset, overdraft: nil, ceiling: nil) }
            try house.run { try $0.deposit(id: "dp\(place)", to: pia, fund, rail: "bank", reference: "r\(place)") }
        }
        for place in 0..<5 {
            let half = Amount(50, try amount(place).asset)
            try house.run { try $0.bond(half, from: pia, in: "dn_1") }
        }
        let first = Amount(50, try amount(0).asset), sixth = try amount(5)
        #expect(
            throws: BillingError.inTheWay("payer:pia has stakes in 5 assets in dn_1 already: unbond one of them first")
        ) { try house.state.bond(sixth, from: pia, in: "dn_1") }
        // More of one that is there, and another pool.
        try house.run { try $0.bond(first, from: pia, in: "dn_1") }
        try house.run { try $0.bond(Amount(50, sixth.asset), from: pia, in: "dn_2") }
        // What is being unbonded can be taken as well, and counts.
        let all = try amount(0)
        try house.run { try $0.unbond(id: "u", all, of: pia, in: "dn_1", now: now) }
        #expect(throws: BillingError.self) { try house.state.bond(Amount(50, sixth.asset), from: pia, in: "dn_1") }
    }

    @Test("stakes bond, unbond with delay, are slashed by ruling and rewarded in proportion")
    func stakes() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 10_000)
        try house.openPayer("vic", deposit: 10_000)
        let pia = try house.account("payer:pia"), vic = try house.account("payer:vic"), now = house.now
        let (three, one, six) = (house.amount(3_000), house.amount(1_000), house.amount(6_000))
        try house.run { try $0.bond(three, from: pia, in: "dn_1") }
        try house.run { try $0.bond(one, from: vic, in: "dn_1") }
        try house.run { try $0.unbond(id: "u1", one, of: pia, in: "dn_1", now: now) }
        #expect(house.state.stake(pia, in: "dn_1", house.asset).units == 2_000)
        let slashed = house.amount(2_500)
        try house.run { try $0.slash(slashed, of: pia, in: "dn_1", ruling: "r1") }
        #expect(house.state.stake(pia, in: "dn_1", house.asset).units == 0)
        #expect(throws: BillingError.self) { try house.state.slash(one, of: pia, in: "dn_1", ruling: "r2") }
        house.pass(seconds: 604_800)
        let due = house.now
        try house.run { try $0.sweep(now: due) }
        #expect(house.balance("payer:pia") == 7_500)
        #expect(house.balance("platform:house") == 2_500)
        try house.run { try $0.bond(three, from: pia, in: "dn_1") }
        try house.run { try $0.reward(six, from: vic, pool: "dn_1") }
        #expect(house.balance("payer:pia") == 7_500 - 3_000 + 4_500)
        #expect(house.balance("payer:vic") == 9_000 - 6_000 + 1_500)
        try house.checkInvariants()
    }

    @Test("epochs pay wallets cumulatively, claims are booked once, and a changed wallet takes what was not claimed")
    func epochs() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        let asset = house.asset
        func earn(_ id: String) throws {
            try house.answer(id, payer: "pia", fee: 1_000_000, shares: [("alice", 1_000_000_000)])
            house.pass(seconds: 300_000)
            let due = house.now
            try house.run { try $0.sweep(now: due) }
        }
        try house.run { try $0.verifyOwner("alice", claim: "mail") }
        try earn("i1")
        let (first, second) = ("0x" + String(repeating: "11", count: 20), "0x" + String(repeating: "22", count: 20))
        #expect(throws: BillingError.self) { try house.state.closeEpoch(asset) }
        let key = try WalletKey(1), other = try WalletKey(2)
        #expect(throws: BillingError.self) { try house.state.setWallet(key.request("alice", "0x12")) }
        let request = try key.request("alice", first)
        try house.run { try $0.setWallet(request) }
        #expect(throws: BillingError.exists("the wallet \(first) of another owner")) {
            try house.state.setWallet(other.request("mallory", first))
        }
        try house.run { try $0.closeEpoch(asset) }
        let epoch = try #require(house.state.epoch(asset))
        let earned = try #require(epoch.leaves.first?.cumulative)
        #expect(earned == 85_500 + 285_000)
        #expect(epoch.liabilities.reduce(0) { $0 + Int128($1.units) } == 10_000_000)
        let part = house.amount(Int128(earned) - 500), whole = house.amount(Int128(earned))
        try house.run { try $0.claim(asset, address: first, cumulative: part, transaction: "t1") }
        #expect(throws: BillingError.self) { try house.state.claim(asset, address: first, cumulative: part, transaction: "t1") }
        #expect(throws: BillingError.self) {
            try house.state.claim(asset, address: first, cumulative: house.amount(Int128(earned) + 1), transaction: "t2")
        }
        let change = try key.request("alice", second, 1)
        try house.run { try $0.setWallet(change) }
        try earn("i2")
        try house.run { try $0.closeEpoch(asset) }
        // First nothing more is owed to the wallet before, though it may have been paid by the last root; then the rest goes on.
        #expect(house.state.epoch(asset)?.leaves.map(\.cumulative) == [earned - 500, earned])
        try earn("i3")
        try house.run { try $0.closeEpoch(asset) }
        #expect(house.state.epoch(asset)?.leaves.map(\.cumulative) == [earned - 500, 2 * earned + 500])
        #expect(throws: BillingError.self) { try house.state.claim(asset, address: first, cumulative: whole, transaction: "t3") }
        try house.checkInvariants()
    }

    @Test("payouts leave by a rail once, and come back when they fail")
    func payouts() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000)
        let pia = try house.account("payer:pia"), amount = house.amount(400), to = SHA256.hash(utf8: "iban")
        for id in ["p1", "p2"] { try house.run { try $0.requestPayout(id: id, from: pia, amount, rail: "bank", destination: to) } }
        #expect(throws: BillingError.self) { try house.state.requestPayout(id: "p3", from: pia, amount, rail: "bank", destination: to) }
        #expect(house.state.payouts(on: "bank").map(\.id) == ["p1", "p2"])
        try house.run { try $0.finishPayout("p1", paid: true, reference: "ok") }
        try house.run { try $0.finishPayout("p2", paid: false, reference: "closed") }
        #expect(house.balance("payer:pia") == 600)
        #expect(house.balance("external:bank") == -600)
        #expect(throws: BillingError.self) { try house.state.finishPayout("p1", paid: true, reference: "ok") }
        try house.checkInvariants()
    }

    @Test("a fee without a hold is taken as far as the payer has money, and never beyond")
    func shortOfMoney() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 70_000)
        try house.answer("i1", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
        #expect(house.balance("payer:pia") == 0)
        #expect(house.balance("pending:platform:house") == 3_500)
        let id = try house.answer("i2", payer: "pia", fee: 100_000, shares: [("alice", 1_000_000_000)])
        #expect(house.state.settlement(id) == nil)
        #expect(house.state.pendingReactions().isEmpty)
        try house.checkInvariants()
    }
}
