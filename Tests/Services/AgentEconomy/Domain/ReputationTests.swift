@testable import AgentEconomyDomain
import Crypto
import Decisions
import Events
import Identity
import JSON
import Money
import TestSupport
import Testing

/// What a name costs, and what it does not come cheaper by.
@Suite struct ReputationTests {
    private struct Market {
        var world: World
        private var number = 0
        private var keys: [String: Ed25519PrivateKey] = [:]

        init() throws {
            world = try World(agents: 0)
            try link("bob")
        }

        private mutating func link(_ id: String) throws {
            let key = try Ed25519PrivateKey.generate()
            keys[id] = key
            try world.fold(KeyRotated(principal: id, added: DIDKey.text(for: key.publicKey)))
        }

        private func sign(_ id: String, _ purpose: String, _ task: String) throws -> TaskSignature? {
            try keys[id].map { key in
                let text = [purpose, task, "0", SHA256.hash(utf8: "work").prefixed].joined(separator: "\n")
                return TaskSignature(
                    key: DIDKey.text(for: key.publicKey), signature: Base64URL.encode(try key.sign(Array(text.utf8))))
            }
        }

        mutating func owner(_ id: String, isVerified: Bool) throws {
            try world.fold(PrincipalRegistered(principal: id, kind: "person", key: "did:" + id, owner: nil))
            try link(id)
            if isVerified { try world.fold(KeyRotated(principal: id, verified: "vouched")) }
        }

        mutating func agent(_ id: String, of owner: String) throws {
            try world.fold(PrincipalRegistered(principal: id, kind: "agent", key: "did:" + id, owner: owner))
            try link(id)
        }

        /// A task from its offer to its settlement, signed by both.
        mutating func work(
            _ client: String, _ provider: String, _ units: Int, isSigned: Bool = true, payer: String? = nil, split: [TaskShare] = []
        ) throws {
            number += 1
            let payer = payer ?? client
            let wish = TaskRules.Wish(
                provider: provider, brief: SHA256.hash(utf8: "b"), amount: try World.amount(units), split: split,
                deadline: world.time(10_000))
            let task = try World.first(TaskOpened.self, world.decide(client, TaskRules.open(wish))).task
            try world.decide(client, TaskRules.fund(task, wish.amount, payer: payer, hold: "hd_\(number)", authorization: nil))
            let artefacts = [TaskArtefact(hash: SHA256.hash(utf8: "work"), bytes: 4, media: "text/plain")]
            let submission = try sign(provider, "openledger/task-submission", task)
            let completion = try sign(client, "openledger/task-completion", task)
            let isCountersigned = isSigned
            #expect(throws: EconomyError.self) { try world.decide(provider, TaskRules.submit(task, artefacts, signature: completion)) }
            try world.decide(provider, TaskRules.submit(task, artefacts, signature: submission))
            try world.decide(client, TaskRules.complete(task, signature: isCountersigned ? completion : nil))
            try world.fold(
                SettlementPosted(
                    id: "se_\(number)", kind: "task", reference: task + "#0", payer: AccountID(trusted: "payer:" + payer),
                    fee: wish.amount, position: number, releaseAt: world.time(20_000), postings: .entries([])))
        }

        mutating func giveBack(_ settlement: Int, _ units: Int) throws {
            if let asset = World.usdc { try world.state.giveBack("se_\(settlement)", Amount(Int128(units), asset), at: 99) }
        }

        func score(_ provider: String) -> Int { world.state.reputation(of: provider).first.map { Int($0.score) } ?? 0 }
        func counterparties(_ provider: String) -> Int { world.state.reputation(of: provider).first?.counterparties ?? 0 }
    }

    @Test func tenHonestClientsAreWorthTenTimesOneOfTheirMoney() throws {
        var market = try Market()
        for index in 0..<10 {
            try market.owner("o\(index)", isVerified: true)
            try market.work("o\(index)", "bob", 100)
        }
        #expect(market.score("bob") == 10_000 && market.counterparties("bob") == 10)
    }

    @Test func ownMoneyByAnothersHandMakesNoName() throws {
        var market = try Market()
        for owner in ["dora", "paul"] { try market.owner(owner, isVerified: true) }
        try market.agent("d1", of: "dora")
        try market.agent("p1", of: "paul")
        // Paul's agent hires Dora's: with Dora's money, under her mandate, and then with Paul's.
        for (payer, score) in [("dora", 0), ("paul", 1_000)] {
            let (amount, reference) = (try World.amount(1_000), "tk_\(payer)#0")
            market.world.state.completions[reference] = Completion(
                isCountersigned: true, client: "p1", provider: "d1", task: "tk_" + payer, payer: payer,
                payouts: [TaskPayout(account: AccountID(trusted: "payer:d1"), amount: amount)])
            let settled = SettlementPosted(
                id: "se_" + payer, kind: "task", reference: reference, payer: AccountID(trusted: "payer:" + payer), fee: amount,
                position: 1, releaseAt: market.world.time(20_000), postings: .entries([]))
            try market.world.state.settle(settled, at: 2)
            #expect(market.score("d1") == score)
        }
    }

    @Test func whatAProviderPassesOnIsNotItsName() throws {
        var market = try Market()
        for owner in ["dora", "paul"] { try market.owner(owner, isVerified: true) }
        // All but a crumb of it goes straight back to who pays.
        try market.work("dora", "bob", 10_000, split: [TaskShare(kind: "agent", id: "dora", points: 9_990)])
        #expect(market.score("bob") == 10)
        try market.work("dora", "bob", 10_000, split: [TaskShare(kind: "agent", id: "paul", points: 5_000)])
        #expect(market.score("bob") == 5_010)
    }

    @Test func aHundredAgentsOfOneOwnerAreOneClient() throws {
        var market = try Market()
        try market.owner("eve", isVerified: true)
        for index in 0..<100 {
            try market.agent("e\(index)", of: "eve")
            try market.work("e\(index)", "bob", 10)
        }
        #expect(market.score("bob") == 1_000 && market.counterparties("bob") == 1)
    }

    @Test func aHundredOwnersOfWhomNothingIsKnownAreOneClient() throws {
        var market = try Market()
        for index in 0..<100 {
            try market.owner("s\(index)", isVerified: false)
            try market.work("s\(index)", "bob", 10)
        }
        #expect(market.score("bob") == 1_000 && market.counterparties("bob") == 1)
    }

    @Test func whoGetsVerifiedThriceWeighsThriceAndNoMore() throws {
        var market = try Market()
        for index in 0..<3 {
            try market.owner("v\(index)", isVerified: true)
            try market.work("v\(index)", "bob", 333)
        }
        #expect(abs(market.score("bob") - 2_997) <= 1)
    }

    @Test func moneyThatGoesRoundMakesNoName() throws {
        var market = try Market()
        try market.owner("eve", isVerified: true)
        try market.agent("b1", of: "bob")
        try market.work("eve", "bob", 1_000)
        #expect(market.score("bob") == 1_000)
        // Back to another agent of the payer's, by another agent of the payee's: houses are looked at.
        try market.agent("e1", of: "eve")
        try market.work("b1", "e1", 1_000)
        #expect(market.score("bob") == 0 && market.counterparties("bob") == 0)
        #expect(market.score("e1") == 0)
        // What was not paid back counts.
        try market.work("eve", "bob", 400)
        #expect(market.score("bob") == 400)
    }

    @Test func moneyThatIsGivenBackOtherwiseMakesNoNameEither() throws {
        var market = try Market()
        try market.owner("eve", isVerified: true)
        try market.agent("b1", of: "bob")
        try market.agent("e1", of: "eve")
        try market.work("eve", "bob", 1_000)
        // By work that was not signed, and by a signed payment, between other agents of the two houses.
        try market.work("b1", "e1", 300, isSigned: false)
        #expect(market.score("bob") == 700)
        try market.world.fold(
            JournalPosted(
                id: "tr_1", reason: "payment:pm_1",
                postings: .entries([
                    Posting(account: AccountID(trusted: "payer:b1"), amount: World.amount(-700)),
                    Posting(account: AccountID(trusted: "payer:e1"), amount: World.amount(700)),
                ])))
        #expect(market.score("bob") == 0)
    }

    /// However long the ring, who is in it earns what two who pay each other do: nothing.
    @Test(arguments: [2, 3, 4, 10]) func aRingOfVerifiedHousesEarnsNobodyAName(_ length: Int) throws {
        var market = try Market()
        let ring = ["bob"] + (1..<length).map { "r\($0)" }
        for id in ring.dropFirst() { try market.owner(id, isVerified: true) }
        for (index, id) in ring.enumerated() { try market.work(id, ring[(index + 1) % length], 1_000) }
        #expect(ring.allSatisfy { market.score($0) == 0 && market.counterparties($0) == 0 })
        // What was taken off is named, pair by pair, with where it stands.
        let round = market.world.state.reputation(of: "bob").first?.wentRound ?? []
        #expect(round.map(\.from) == Array(ring.dropLast()) && round.map(\.to) == Array(ring.dropFirst()))
        #expect(round.allSatisfy { $0.amount.units == 1_000 && $0.positions.count == 1 })
        // Money from outside counts, also while the ring goes on.
        try market.owner("ann2", isVerified: true)
        try market.work("ann2", "bob", 400)
        #expect(market.score("bob") == 400)
    }

    /// The way back may be unsigned work, signed payments, houses of which nothing is known, other agents of the same owners, and may split.
    @Test func aRingIsSeenWhateverItsWayBackIs() throws {
        var market = try Market()
        for id in ["eve", "mal"] { try market.owner(id, isVerified: true) }
        try market.owner("shell", isVerified: false)
        try market.agent("b1", of: "bob")
        try market.agent("m1", of: "mal")
        try market.work("eve", "bob", 1_000)
        try market.work("b1", "shell", 600, isSigned: false)
        try market.work("b1", "m1", 400)
        try market.world.fold(
            JournalPosted(
                id: "tr_1", reason: "payment:pm_1",
                postings: .entries([
                    Posting(account: AccountID(trusted: "payer:shell"), amount: World.amount(-500)),
                    Posting(account: AccountID(trusted: "payer:mal"), amount: World.amount(500)),
                ])))
        try market.work("mal", "eve", 700)
        // 500 by the shell and 400 straight reach mal, of which 700 come back.
        #expect(market.score("bob") == 300)
        // No unit is taken off twice: two clients behind one way back.
        try market.owner("zed", isVerified: true)
        try market.work("zed", "bob", 1_000)
        try market.work("mal", "zed", 700)
        let left = market.world.state.reputation(of: "bob").first
        #expect(left?.total.units == 2_000 && left?.counterparties == 2 && market.score("bob") > 2_000)
    }

    /// In any closed round of payments, rings that cross and share houses, nobody's money is new: all scores are nothing. With money that some
    /// brought along nobody's clients count for more than that money.
    @Test func whateverTheShapeClosedRoundsEarnNothing() throws {
        var generator = Seed.generator()
        for _ in 0..<20 {
            let houses = (0..<Int.random(in: 3...12, using: &generator)).map { "h\($0)" }
            var paid: [String: [String: Int128]] = [:]
            for _ in 0..<Int.random(in: 1...10, using: &generator) {
                let ring = houses.shuffled(using: &generator).prefix(Int.random(in: 2...houses.count, using: &generator))
                let units = Int128(Int.random(in: 1...1_000, using: &generator))
                for (index, from) in ring.enumerated() { paid[from, default: [:]][ring[(index + 1) % ring.count], default: 0] += units }
            }
            let brought = Int128(Int.random(in: 1...500, using: &generator))
            let order = houses.shuffled(using: &generator)
            for withMoney in [false, true] {
                // A line that begins with money of its own and ends somewhere.
                if withMoney { for (from, to) in zip(order, order.dropFirst()) { paid[from, default: [:]][to, default: 0] += brought } }
                for house in houses {
                    var clients: [String: Int128] = [:]
                    for (from, all) in paid { if let units = all[house] { clients[from] = units } }
                    let back = Circulation(paid: paid).returned(from: house, to: clients).byClient
                    #expect(back.allSatisfy { $0.value <= clients[$0.key] ?? 0 })
                    let left = clients.values.reduce(0, +) - back.values.reduce(0, +)
                    #expect(withMoney ? left <= brought : left == 0, "\(house) of \(paid)")
                }
            }
        }
    }

    /// What is given back counts nowhere, neither as pay nor as a way round.
    @Test func aRefundOpensTheRing() throws {
        var market = try Market()
        for id in ["eve", "mal"] { try market.owner(id, isVerified: true) }
        try market.work("eve", "bob", 1_000)
        try market.work("bob", "mal", 1_000)
        try market.work("mal", "eve", 1_000)
        #expect(market.score("bob") == 0)
        try market.giveBack(3, 1_000)
        #expect(market.score("bob") == 1_000)
    }

    /// Tens of thousands of pairs are reckoned without a word: the ring goes by all of them.
    @Test func aLongRingAmongManyIsFound() throws {
        let count = 10_000
        var paid: [String: [String: Int128]] = [:]
        for index in 0..<count {
            paid["h\(index)", default: [:]]["h\((index + 1) % count)"] = 5
            paid["h\(index)", default: [:]]["x\(index)"] = 9
        }
        let back = Circulation(paid: paid).returned(from: "h0", to: ["h\(count - 1)": 5])
        #expect(back.byClient == ["h\(count - 1)": 5] && back.ways.count == count - 1)
    }

    @Test func aHouseThatPaysItselfEarnsNoName() throws {
        var market = try Market()
        try market.agent("b1", of: "bob")
        try market.work("b1", "bob", 1_000)
        #expect(market.world.state.reputation(of: "bob").isEmpty)
    }

    /// More of the same money from one house never counts for more than the money, and another verified house never lowers a score.
    @Test func aScoreGrowsWithMoneyAndWithHouses() throws {
        var market = try Market()
        var last = 0
        for index in 0..<20 {
            try market.owner("o\(index)", isVerified: index % 2 == 0)
            try market.work("o\(index)", "bob", 50 + index)
            let now = market.score("bob")
            #expect(now > last)
            last = now
        }
        #expect(market.counterparties("bob") == 11)
    }
}
