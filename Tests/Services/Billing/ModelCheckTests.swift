import BillingDomain
import Crypto
import Events
import Foundation
import Money
import TestSupport
import Testing

@Suite("Billing against a reference model")
struct ModelCheckTests {
    /// A hundred thousand, about a minute of a processor without optimisation; `OPENLEDGER_TEST_COMMANDS` names another number.
    static let commands = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_COMMANDS"].flatMap { Int($0) } ?? 100_000

    @Test("random commands leave the balances that the reference model has, and are refused when it would refuse them")
    func randomCommands() throws {
        var run = try Run(Seed.generator())
        for _ in 0..<Self.commands {
            try run.step()
            if run.failed { break }
        }
        try run.compare(everything: true)
        print("model check, seed \(run.random.seed): \(run.accepted) accepted, \(run.refused) refused of \(Self.commands)")
        #expect(run.accepted > Self.commands / 4)
        #expect(run.refused > Self.commands / 50)
    }

    /// The house, the model, and what has been made so far.
    struct Run {
        static let payers = 6
        var house: House
        var model = ReferenceModel()
        var random: SeededGenerator
        var clock = 0
        var serial = 0
        var accepted = 0
        var refused = 0
        var failed = false
        /// The attribution of each settlement, and some settlements of long ago.
        var attributions: [String: String] = [:]
        var over: [String] = []

        init(_ random: SeededGenerator) throws {
            self.random = random
            house = try House()
            house.keepsEvents = false
            try house.publishModel()
            for index in 0..<Self.payers {
                try house.openPayer("p\(index)", deposit: 1_000_000)
                model.move(1_000_000, "external:bank", ReferenceModel.payer(index))
            }
        }

        mutating func step() throws {
            serial += 1
            let payer = Int.random(in: 0..<Self.payers, using: &random)
            let account = try house.account(ReferenceModel.payer(payer))
            let now = house.now
            let id = "x\(serial)"
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<8:
                let amount = Int.random(in: -10...200_000, using: &random)
                let money = house.amount(Int128(amount))
                if try attempt(amount > 0, { try $0.deposit(id: id, to: account, money, rail: "bank", reference: id) }) {
                    model.move(amount, "external:bank", ReferenceModel.payer(payer))
                }
            case 8..<26:
                let amount = Int.random(in: 1...60_000, using: &random), seconds = Int.random(in: 1...5_000, using: &random)
                let money = house.amount(Int128(amount))
                if try attempt(
                    amount <= model.available(payer),
                    { try $0.placeHold(id: id, on: account, money, expires: now.later(Int64(seconds)), model: nil, now: now) })
                {
                    model.holds[id] = .init(owner: payer, left: amount, expires: clock + seconds)
                }
            case 26..<34: try captureAndSettle(id)
            case 34..<38:
                guard let hold = model.holds.keys.sorted().randomElement(using: &random) else { return }
                if try attempt(true, { try $0.releaseHold(hold) }) { model.holds[hold] = nil }
            case 38..<60: try settle(id, payer)
            case 60..<68:
                guard let settlement = model.settlements.keys.sorted().randomElement(using: &random),
                    let known = model.settlements[settlement]
                else {
                    return
                }
                let left = known.parts.values.reduce(0, +), amount = Int.random(in: 1...max(1, left * 5 / 4), using: &random)
                let money = house.amount(Int128(amount))
                let isFine = clock < known.due && !known.disputed && amount <= left
                if try attempt(isFine, { try $0.refund(settlement, money, reason: "x", now: now) }) { model.refund(settlement, amount) }
            case 68..<72: try dispute(id, payer, account)
            case 72..<78:
                let amount = Int.random(in: 1...30_000, using: &random), money = house.amount(Int128(amount))
                if try attempt(amount <= model.available(payer), { try $0.bond(money, from: account, in: "dn_1") }) {
                    model.move(amount, ReferenceModel.payer(payer), "stake:dn_1:" + ReferenceModel.payer(payer))
                    model.stakes[payer, default: 0] += amount
                }
            case 78..<82:
                let amount = Int.random(in: 1...30_000, using: &random), money = house.amount(Int128(amount))
                if try attempt(amount <= model.stakes[payer] ?? 0, { try $0.unbond(id: id, money, of: account, in: "dn_1", now: now) }) {
                    model.stakes[payer, default: 0] -= amount
                    model.unbonding[id] = (payer, amount, clock + 604_800)
                }
            case 82..<84:
                let other = Int.random(in: 0..<Self.payers, using: &random), amount = Int.random(in: 1...50_000, using: &random)
                guard other != payer else { return }
                let entries = [
                    Posting(account: account, amount: house.amount(Int128(-amount))),
                    Posting(account: try house.account(ReferenceModel.payer(other)), amount: house.amount(Int128(amount))),
                ]
                if try attempt(amount <= model.available(payer), { try $0.transfer(id: id, entries, reason: "x") }) {
                    model.move(amount, ReferenceModel.payer(payer), ReferenceModel.payer(other))
                }
            case 84..<87: try correct()
            case 87..<88:
                let owner = ["o0", "o1", "o2", "o3", "acme", "cora", "vera"].randomElement(using: &random) ?? "o0"
                try house.run { try $0.verifyOwner(owner, claim: "mail") }
                model.verified.insert(owner)
            default:
                let seconds = Int.random(in: 1...20_000, using: &random)
                clock += seconds
                house.pass(seconds: Int64(seconds))
                let later = house.now
                while house.state.isDue(at: later) { try house.run { try $0.sweep(now: later) } }
                model.sweep(clock)
            }
            if serial % 50 == 0 { try compare(everything: serial % 1_000 == 0) }
        }

        private mutating func settle(_ id: String, _ payer: Int) throws {
            let fee = Int.random(in: 0...40_000, using: &random)
            let shares = randomShares()
            try house.answer(id, payer: "p\(payer)", fee: Int128(fee), shares: shares)
            model.settle(house.lastTold, payer: payer, fee: max(0, min(fee, model.available(payer))), shares: shares, due: clock + 259_200)
            note(id)
            accepted += 1
        }

        /// A corrected attribution, of a settlement within its holdback or of one that is over.
        private mutating func correct() throws {
            let isOpen = random.chance(0.8)
            let some = isOpen ? model.settlements.keys.sorted() : over
            guard let settlement = some.randomElement(using: &random), let attribution = attributions[settlement] else { return }
            let shares = randomShares()
            try house.correct(attribution, shares)
            model.correct(settlement, shares)
            accepted += 1
        }

        private mutating func captureAndSettle(_ id: String) throws {
            guard let hold = model.holds.keys.sorted().randomElement(using: &random), let known = model.holds[hold] else { return }
            let now = house.now
            let amount = Int.random(in: 1...max(1, known.left * 5 / 4), using: &random), isFinal = random.chance(0.5)
            let money = house.amount(Int128(amount))
            guard
                try attempt(
                    amount <= known.left && clock < known.expires,
                    { try $0.captureHold(hold, money, reference: id, final: isFinal, now: now) })
            else { return }
            model.holds[hold]?.left -= amount
            if isFinal || model.holds[hold]?.left == 0 { model.holds[hold] = nil }
            let shares = randomShares()
            try house.answer(id, payer: "p\(known.owner)", fee: money.units, shares: shares)
            model.settle(house.lastTold, payer: known.owner, fee: amount, shares: shares, due: clock + 259_200)
            note(id)
        }

        private mutating func note(_ id: String) {
            attributions[house.lastTold] = "at-" + id
            if over.count < 200 { over.append(house.lastTold) } else { over[serial % 200] = house.lastTold }
        }

        private mutating func dispute(_ id: String, _ payer: Int, _ account: AccountID) throws {
            guard let settlement = model.settlements.keys.sorted().randomElement(using: &random), let known = model.settlements[settlement]
            else { return }
            let now = house.now, upheld = random.chance(0.5)
            guard
                try attempt(
                    !known.disputed && clock < known.due && model.available(payer) >= 1_000_000,
                    { try $0.openDispute(id: id, settlement: settlement, by: account, reason: "x", evidence: .zero, now: now) })
            else { return }
            try house.run { try $0.resolveDispute(id, upheld: upheld, refund: nil, ruling: "r") }
            let left = known.parts.values.reduce(0, +)
            if upheld, payer == known.payer {
                model.refund(settlement, left)
            } else if upheld {
                if left > 0 { model.settlements[settlement]?.due = max(known.due, clock + 3_600) }
            } else {
                model.move(1_000_000, ReferenceModel.payer(payer), "platform:house")
            }
        }

        private mutating func randomShares() -> [(String, Int)] {
            let count = Int.random(in: 1...4, using: &random)
            var left = 1_000_000_000
            return (0..<count).map { index in
                let part = index == count - 1 ? left : Int.random(in: 0...left, using: &random)
                left -= part
                return ("o\(index)", part)
            }
        }

        /// Decides, and compares with what the model expects to happen.
        private mutating func attempt(_ isFine: Bool, _ rule: (BillingState) throws -> Decision) throws -> Bool {
            do {
                try house.run(rule)
                accepted += 1
                if !isFine { fail("was accepted") }
                return isFine
            } catch let error as BillingError {
                refused += 1
                if isFine { fail("was refused: \(error)") }
                return false
            }
        }

        private mutating func fail(_ what: String) {
            failed = true
            Issue.record("command \(serial) \(what); seed \(random.seed)")
        }

        mutating func compare(everything: Bool) throws {
            for index in 0..<Self.payers {
                let name = ReferenceModel.payer(index)
                if house.balance(name) != Int128(model.balance[name] ?? 0) {
                    fail("\(name) has \(house.balance(name)), not \(model.balance[name] ?? 0)")
                }
                if house.state.journal.available(try house.account(name), house.asset).units != Int128(model.available(index)) {
                    fail("\(name) is held otherwise")
                }
            }
            guard everything else { return }
            for account in house.state.journal.accounts where account.balance != Int128(model.balance[account.id.text] ?? 0) {
                fail("\(account.id) has \(account.balance), not \(model.balance[account.id.text] ?? 0)")
            }
            for (name, amount) in model.balance where amount != 0 && house.balance(name) != Int128(amount) {
                fail("\(name) lacks \(amount)")
            }
            try house.checkInvariants("seed \(random.seed)")
        }
    }
}
