import BillingDomain
import Events
import JSON
import Money
import ServiceTestSupport
import TestSupport
import Testing

@Suite("Budgets")
struct BudgetTests {
    private func alerts(_ house: inout House) throws -> [BudgetAlerted] {
        var alerts: [BudgetAlerted] = []
        let now = house.now
        while house.state.isDue(at: now) {
            for event in try house.run({ try $0.sweep(now: now) }) {
                if case .budgetAlerted(let alert) = event { alerts.append(alert) }
            }
        }
        return alerts
    }

    @Test("each threshold is told of once a month, by the fees of that month, however they were taken")
    func thresholds() throws {
        var house = try House()
        try house.publishModel()
        try house.openPayer("pia", deposit: 10_000_000)
        let pia = try house.account("payer:pia"), budget = house.amount(1_001), start = house.now
        func answer(_ id: String, _ fee: Int128) throws {
            try house.answer(id, payer: "pia", fee: fee, shares: [("alice", 1_000_000_000)])
        }
        // What was charged before it was set counts as well.
        try answer("i0", 300)
        try house.run { try $0.setBudget(of: pia, budget, thresholds: [5_000, 8_000, 10_000]) }
        #expect(try alerts(&house).isEmpty)
        try answer("i1", 200)
        // 500 of 1,001 is a unit short of a half.
        #expect(try alerts(&house).isEmpty)
        let amount = house.amount(1)
        try house.run { try $0.placeHold(id: "h", on: pia, amount, expires: start.later(600), model: nil, now: start) }
        try house.run { try $0.captureHold("h", amount, reference: "r", final: true, now: start) }
        #expect(
            try alerts(&house) == [
                BudgetAlerted(account: pia, period: "2026-11", threshold: 5_000, spent: house.amount(501), budget: budget)
            ])
        #expect(try alerts(&house).isEmpty)
        // Two thresholds at once are one alert, of the higher one.
        try answer("i2", 600)
        #expect(try alerts(&house).map(\.threshold) == [10_000])
        try answer("i3", 5_000)
        #expect(try alerts(&house).isEmpty)
        let standing = try #require(house.state.budgets(of: pia, now: house.now).first)
        #expect(standing.spent.units == 6_101 && standing.told == 10_000 && standing.period == "2026-11")
        // Another month begins anew.
        house.pass(seconds: 30 * 86_400)
        #expect(house.state.budgets(of: pia, now: house.now).first?.spent.units == 0)
        try answer("i4", 801)
        #expect(try alerts(&house).map { [$0.period, String($0.threshold)] } == [["2026-12", "8000"]])
        // Set anew it tells of what is crossed already; ended it tells nothing.
        let smaller = house.amount(700), none = house.amount(0)
        try house.run { try $0.setBudget(of: pia, smaller, thresholds: [10_000]) }
        #expect(try alerts(&house).map(\.budget) == [smaller])
        try house.run { try $0.setBudget(of: pia, none, thresholds: []) }
        try answer("i5", 10_000)
        #expect(try alerts(&house).isEmpty)
        try house.checkInvariants()
    }

    @Test("a budget that is none is refused, and an alert that is not so stops whoever folds it")
    func refused() throws {
        var house = try House()
        try house.openPayer("pia", deposit: 1_000)
        let pia = try house.account("payer:pia"), cora = try house.account("curator:cora"), euro = try Asset("EUR/2")
        let hundred = house.amount(100)
        for (account, amount, thresholds) in [
            (cora, hundred, [5_000]), (pia, Amount(5, euro), [5_000]), (pia, house.amount(-5), [5_000]), (pia, hundred, []),
            (pia, house.amount(0), [5_000]), (pia, hundred, [0]), (pia, hundred, [5_000, 5_000]), (pia, hundred, [200_000]),
            (pia, house.amount(.max), [10_000]),
        ] { #expect(throws: BillingError.self) { try house.state.setBudget(of: account, amount, thresholds: thresholds) } }
        try house.run { try $0.setBudget(of: pia, hundred, thresholds: [5_000]) }
        let alert = BudgetAlerted(account: pia, period: "2026-11", threshold: 5_000, spent: hundred, budget: hundred)
        let now = house.now
        #expect(throws: BillingFault.self) { try house.auditor.evolve(.budgetAlerted(alert), time: now) }
    }

    @Test("months are those of the calendar")
    func months() throws {
        for (text, period) in [
            ("2024-02-29T23:59:59.999999Z", "2024-02"), ("2024-03-01T00:00:00.000000Z", "2024-03"),
            ("2026-12-31T23:59:59.999999Z", "2026-12"), ("2000-01-01T00:00:00.000000Z", "2000-01"),
        ] {
            var house = try House()
            house.now = try #require(Timestamp(text))
            try house.publishModel()
            try house.openPayer("pia", deposit: 1_000)
            let pia = try house.account("payer:pia"), one = house.amount(1)
            try house.run { try $0.setBudget(of: pia, one, thresholds: [10_000]) }
            try house.answer("i", payer: "pia", fee: 5, shares: [("alice", 1_000_000_000)])
            #expect(try alerts(&house).map(\.period) == [period])
        }
    }

    @Test("a payer is told by an event within moments, and reads how the month stands; nobody else does")
    func service() async throws {
        try await withBilling { desk in
            try await desk.open("payer:pia", deposit: 1_000_000)
            try await desk.publishModel()
            let (pia, mallory) = (try desk.house.token("pia"), try desk.house.token("mallory"))
            let path = "/v1/accounts/payer:pia/budgets"
            let wish: JSONValue = ["budget": ["asset": "USDC/6", "amount": "2000"], "thresholds": [5_000, 10_000]]
            #expect(try await desk.raw("POST", path, wish, key: "b-1", token: mallory).status == 403)
            #expect(try await desk.raw("GET", path, nil, key: nil, token: mallory).status == 403)
            #expect(try await desk.raw("POST", path, wish, key: "b-1", token: pia).status == 200)
            try await desk.answer("inf_1", payer: "pia", fee: 1_003)
            try await eventually("the payer is told", timeout: .seconds(60)) {
                let item = try await desk.get(path)["items"]?.arrayValue?.first
                return item?["told"]?.intValue == 5_000 && item?["spent"]?["amount"]?.stringValue == "1003"
            }
            let bad: JSONValue = ["budget": ["asset": "USDC/6", "amount": "2000"], "thresholds": [10_000, 5_000]]
            #expect(try await desk.raw("POST", path, bad, key: "b-2", token: pia).status == 422)
        }
    }
}
