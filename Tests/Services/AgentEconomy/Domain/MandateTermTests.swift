import AgentEconomyDomain
import Crypto
import Decisions
import Events
import JSON
import Money
import Testing

/// The constraints of AP2's grammar beyond budgets and lists.
@Suite struct MandateTermTests {
    @Test func paymentsBelowTheLeastAndBeforeTheBeginningAreRefused() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100, minimum: 10, notBefore: 5_000))
        let early = #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 10) }
        #expect(early == .notAllowed(mandate: mandate, what: "payments before \(world.time(5_000))"))
        world.now = 4_999
        #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 10) }
        world.now = 5_000
        let small = #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 9) }
        #expect(small == .notAllowed(mandate: mandate, what: "payments of less than \(try World.amount(10))"))
        let authorized = try world.spend("a0", mandate, 10)
        // What it came to may be less: it was authorised as what it could cost.
        try world.decide("a0", SpendingRules.settle(authorized, World.amount(3)))
        // A word can be asked for before the time has come, and only for what will be allowed.
        let later = try world.grant("ann", "a1", world.terms(100, minimum: 10, notBefore: 9_000))
        try world.decide("a1", SpendingRules.request(Spending(World.amount(10), purpose: "payment", payee: "b0", model: "m"), under: later))
        #expect(throws: EconomyError.self) {
            try world.decide(
                "a1", SpendingRules.request(Spending(World.amount(9), purpose: "payment", payee: "b0", model: "m"), under: later))
        }
    }

    @Test func aMandateForATaskPaysThatTaskAlone() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100, purposes: ["task"], tasks: ["tk_1"]))
        func pay(_ purpose: String, _ task: String?) throws {
            let spending = Spending(try World.amount(10), purpose: purpose, payee: "b0", task: task)
            try world.decide("a0", SpendingRules.authorize(spending, under: mandate, seconds: 10))
        }
        for (purpose, task) in [("task", nil), ("task", "tk_2"), ("payment", "tk_1"), ("inference", nil)] as [(String, String?)] {
            #expect(throws: EconomyError.self, "\(purpose) \(task ?? "")") { try pay(purpose, task) }
        }
        try pay("task", "tk_1")
        // Another task can't be funded by that word.
        let wish = TaskRules.Wish(
            provider: "b0", brief: SHA256.hash(utf8: "b"), amount: try World.amount(10), deadline: world.time(50_000))
        let task = try World.first(TaskOpened.self, world.decide("a0", TaskRules.open(wish))).task
        let authorization = try #require(world.state.authorizations.keys.first)
        let fund = TaskRules.fund(task, wish.amount, payer: "ann", hold: "hd", authorization: authorization)
        #expect(throws: EconomyError.self) { try world.decide("a0", fund) }
    }

    @Test func recurrencesCountInTheirIntervalAndInAll() throws {
        var world = try World()
        // Monday, 5 January 1970, where weeks begin; fortnights do every other Monday, such as the 12th.
        world.now = 86_400 * 11
        func grant(_ agent: String, _ every: String, _ most: Int, _ total: Int?) throws -> String {
            let recurrence = MandateRecurrence(every: every, most: most, total: total)
            return try world.grant("ann", agent, world.terms(1_000, recurrence: recurrence, expires: 86_400 * 4_000))
        }
        let once = try grant("a0", "once", 2, nil)
        let fortnight = try grant("a1", "fortnight", 1, 2)
        let quarter = try grant("a2", "quarter", 1, nil)
        let year = try grant("a3", "year", 1, nil)
        let all = [("a0", once), ("a1", fortnight), ("a2", quarter), ("a3", year)]
        _ = try world.spend("a0", once, 1)
        for mandate in all { _ = try world.spend(mandate.0, mandate.1, 1) }
        world.now += 86_400 * 13
        for mandate in all { #expect(throws: EconomyError.self) { try world.spend(mandate.0, mandate.1, 1) } }
        world.now += 86_400
        _ = try world.spend("a1", fortnight, 1)
        // 1 April, and then 1 January.
        world.now = 86_400 * 90
        #expect(throws: EconomyError.self) { try world.spend("a1", fortnight, 1) }
        _ = try world.spend("a2", quarter, 1)
        #expect(throws: EconomyError.self) { try world.spend("a3", year, 1) }
        world.now = 86_400 * 365
        _ = try world.spend("a3", year, 1)
        #expect(throws: EconomyError.self) { try world.spend("a0", once, 1) }
    }

    @Test func aChildsTermsAreWithinItsParents() throws {
        var world = try World()
        let root = try world.grant(
            "ann", "a0", world.terms(100, minimum: 10, purposes: ["task", "payment"], tasks: ["tk_1"], notBefore: 5_000))
        let wider = [
            try world.terms(50, minimum: 9), try world.terms(50, purposes: ["inference"]), try world.terms(50, tasks: ["tk_2"]),
            try world.terms(50, notBefore: 4_999),
        ]
        for terms in wider { #expect(throws: EconomyError.self) { try world.grant("a0", "a1", parent: root, terms) } }
        // What a child leaves out is the parent's all the same.
        let child = try world.grant("a0", "a1", parent: root, world.terms(50))
        world.now = 6_000
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 20) }
        _ = try world.grant("a0", "a1", parent: root, world.terms(50, minimum: 20, purposes: ["task"], tasks: ["tk_1"], notBefore: 6_000))
        let senseless = [
            try world.terms(100, perPayment: 5, minimum: 6), try world.terms(100, purposes: ["fun"]),
            try world.terms(100, notBefore: 1_000_000),
            try world.terms(100, recurrence: MandateRecurrence(every: "once", most: 1, total: 0)),
        ]
        for terms in senseless { #expect(throws: EconomyError.self) { try world.grant("ann", "a2", terms) } }
    }
}
