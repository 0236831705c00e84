import AgentEconomyDomain
import Crypto
import Decisions
import Events
import JSON
import Money
import Testing

@Suite struct MandateTests {
    @Test func anAgentSpendsWithinItsBudgetAndNotAUnitMore() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100))
        let first = try world.spend("a0", mandate, 60)
        #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 41) }
        _ = try world.spend("a0", mandate, 40)
        #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 1) }
        // What was not needed comes back.
        try world.decide("a0", SpendingRules.settle(first, World.amount(10)))
        _ = try world.spend("a0", mandate, 50)
        #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 1) }
        #expect(throws: EconomyError.self) { try world.decide("a0", SpendingRules.settle(first, World.amount(10))) }
    }

    @Test func aNewPeriodBringsTheWholeBudgetBackAndNeverThatOfThePast() throws {
        var world = try World()
        world.now = 86_400 * 10
        let mandate = try world.grant("ann", "a0", world.terms(100, expires: 86_400 * 100))
        let late = try world.spend("a0", mandate, 100)
        world.now += 86_400
        _ = try world.spend("a0", mandate, 70)
        // Yesterday's payment comes to less: today has no more for it.
        try world.decide("a0", SpendingRules.free(late))
        #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 31) }
        _ = try world.spend("a0", mandate, 30)
    }

    @Test func aPaymentOnItsWayCountsThoughItsMandateIsRevoked() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100))
        let spending = Spending(try World.amount(60), purpose: "payment", payee: "b0")
        let authorized = try World.first(
            MandateAuthorized.self, world.decide("a0", SpendingRules.authorize(spending, under: mandate, seconds: 10)))
        let word = PaymentWord(
            scheme: "exact", chain: 1, token: "0xt", name: "n", version: "1", from: "0xa", to: "0xb", value: "60", validAfter: "0",
            validBefore: "9", nonce: "0x7")
        try world.fold(
            PaymentOpened(
                payment: "pm", means: "transfer", word: word, payer: "a0", source: "ann", payee: "b0", amount: World.amount(60),
                authorization: authorized.authorization, at: world.time(world.now)))
        try world.decide("ann", GrantRules.revoke(mandate))
        world.now += 100
        #expect(try world.decide("agent-gateway", SpendingRules.expire()).isEmpty)
        let events = try world.decide(
            "agent-gateway", PaymentRules.settle(PaymentSettled(payment: "pm", amount: World.amount(60), transaction: "tr")))
        #expect(events.map(\.type) == [PaymentSettled.type, MandateSettled.type])
    }

    @Test func aPurchaseThatWaitsForWhatItBuysEndsWithTheMandateThatPaysItOrOneAbove() throws {
        for isDelivered in [false, true] {
            var world = try World()
            let above = try world.grant("ann", "a0", world.terms(100))
            let mandate = try world.grant("a0", "a1", parent: above, world.terms(80))
            let spending = Spending(try World.amount(60), purpose: "payment", payee: "b0")
            let authorized = try World.first(
                MandateAuthorized.self, world.decide("a1", SpendingRules.authorize(spending, under: mandate, seconds: 10)))
            try world.fold(
                HoldPlaced(
                    id: "hd", account: #require(AccountID("payer:ann")), amount: World.amount(60), expires: world.time(1_900)))
            let word = PaymentWord(
                scheme: "exact", chain: 1, token: "0xt", name: "n", version: "1", from: "0xa", to: "0xb", value: "60", validAfter: "0",
                validBefore: "9", nonce: "0x7")
            try world.fold(
                PaymentOpened(
                    payment: "pm", means: "transfer", word: word, payer: "a1", source: "ann", payee: "b0", amount: World.amount(60),
                    brief: SHA256.hash(utf8: "brief"), hold: "hd", authorization: authorized.authorization, at: world.time(world.now)))
            let delivery = SHA256.hash(utf8: "delivery")
            if isDelivered { try world.decide("agent-gateway", PaymentRules.deliver("pm", delivery, World.amount(60))) }
            try world.decide("ann", GrantRules.revoke(above))
            #expect(world.state.holdsToFree.map(\.hold) == (isDelivered ? [] : ["hd"]))
            let ended = try world.decide("agent-gateway", PaymentRules.endStopped())
            // What was delivered is paid, and counts.
            guard !isDelivered else {
                #expect(ended.isEmpty)
                let settled = PaymentSettled(payment: "pm", amount: try World.amount(60), transaction: "tr")
                #expect(
                    try world.decide("agent-gateway", PaymentRules.settle(settled)).map(\.type) == [
                        PaymentSettled.type, MandateSettled.type,
                    ])
                continue
            }
            #expect(ended.map(\.type) == [PaymentFailed.type])
            #expect(world.state.payments["pm"]?.status == .failed && world.state.payments["pm"]?.reason == "mandate_ended")
            #expect(world.state.mandates[above]?.used(in: 0) == 0 && world.state.authorizations.isEmpty)
            #expect(throws: EconomyError.self) { try world.decide("agent-gateway", PaymentRules.deliver("pm", delivery, World.amount(60))) }
            #expect(try world.decide("agent-gateway", PaymentRules.fail("pm", reason: "not_delivered")).isEmpty)
            try world.fold(HoldReleased(id: "hd", amount: World.amount(60), expired: false))
            #expect(world.state.holdsToFree.isEmpty)
        }
    }

    @Test func listsThatNoEventHoldsAreRefused() throws {
        var world = try World()
        let long = (0..<200).map { String(repeating: "x", count: 190) + "\($0)" }
        #expect(throws: EconomyError.self) { try world.grant("ann", "a0", world.terms(100, payees: long, services: long, models: long)) }
        _ = try world.grant("ann", "a0", world.terms(100, payees: Array(long.prefix(150))))
    }

    @Test func approvalsThatRanOutUnusedFillNoLimit() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100))
        func ask() throws -> String {
            let spending = Spending(try World.amount(1), purpose: "payment", payee: "b0")
            return try World.first(ApprovalRequested.self, world.decide("a0", SpendingRules.request(spending, under: mandate))).approval
        }
        for _ in 0..<SpendingRules.maximumApprovals {
            try world.decide("ann", SpendingRules.decide(ask(), granted: true, seconds: 60))
        }
        #expect(throws: EconomyError.self) { try ask() }
        world.now += 61
        _ = try ask()
    }

    @Test func whatIsCarvedOutIsTheChildsAlone() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let child = try world.grant("a0", "a1", parent: root, world.terms(60, carved: true))
        #expect(throws: EconomyError.self) { try world.grant("a0", "a2", parent: root, world.terms(41, carved: true)) }
        #expect(throws: EconomyError.self) { try world.spend("a0", root, 41) }
        _ = try world.spend("a0", root, 40)
        _ = try world.spend("a1", child, 60)
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 1) }
        #expect(world.state.mandates[root]?.free(in: 0) == 0)
    }

    @Test func aCeilingIsDrawnFromWhatTheParentHasWhenItIsSpent() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let left = try world.grant("a0", "a1", parent: root, world.terms(80))
        let right = try world.grant("a0", "a2", parent: root, world.terms(80))
        _ = try world.spend("a1", left, 70)
        let error = #expect(throws: EconomyError.self) { try world.spend("a2", right, 31) }
        #expect(error == .exceeds(limit: "budget", mandate: root, wanted: try World.amount(31), left: try World.amount(30)))
        _ = try world.spend("a2", right, 30)
    }

    @Test func revokingStopsTheWholeSubtreeAndGivesBackWhatItDidNotSpend() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let child = try world.grant("a0", "a1", parent: root, world.terms(80, carved: true))
        let leaf = try world.grant("a1", "a2", parent: child, world.terms(50, carved: true))
        let spent = try world.spend("a2", leaf, 20)
        try world.decide("a2", SpendingRules.settle(spent, World.amount(15)))
        let running = try world.spend("a2", leaf, 30)
        try world.fold(
            HoldPlaced(
                id: "hd_1", account: AccountID(trusted: "payer:ann"), amount: World.amount(30), expires: world.time(2_000),
                reference: running))
        #expect(throws: EconomyError.self) { try world.decide("a2", GrantRules.revoke(child)) }
        try world.decide("a0", GrantRules.revoke(child))
        #expect(throws: EconomyError.self) { try world.spend("a2", leaf, 1) }
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 1) }
        #expect(throws: EconomyError.self) { try world.decide("a2", SpendingRules.settle(running, World.amount(30))) }
        #expect(world.state.holdsToFree.map(\.hold) == ["hd_1"])
        // 15 were spent for good.
        #expect(world.state.mandates[root]?.free(in: 0) == 85)
        #expect(throws: EconomyError.self) { try world.spend("a0", root, 86) }
        _ = try world.spend("a0", root, 85)
        try world.fold(HoldReleased(id: "hd_1", amount: World.amount(30), expired: false))
        #expect(!world.state.hasHoldsToFree)
        // A second time does nothing.
        #expect(try world.decide("a0", GrantRules.revoke(child)).isEmpty)
    }

    @Test func aHoldThatComesAfterTheRevocationIsFreedAsWell() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let running = try world.spend("a0", root, 30)
        try world.decide("ann", GrantRules.revoke(root))
        #expect(!world.state.hasHoldsToFree)
        try world.fold(
            HoldPlaced(
                id: "hd_9", account: AccountID(trusted: "payer:ann"), amount: World.amount(30), expires: world.time(2_000),
                reference: running))
        #expect(world.state.holdsToFree.map(\.hold) == ["hd_9"])
    }

    @Test func aMandateIsWithinTheOneAboveItInEveryRespect() throws {
        var world = try World()
        let root = try world.grant(
            "ann", "a0", world.terms(100, perPayment: 20, payees: ["b0"], models: ["m"], expires: 50_000))
        let wrong: [(String, MandateTerms)] = [
            ("budget", try world.terms(101, perPayment: 20, payees: ["b0"], models: ["m"], expires: 50_000)),
            ("period", try world.terms(50, period: "week", perPayment: 20, payees: ["b0"], models: ["m"], expires: 50_000)),
            ("per_payment", try world.terms(50, perPayment: 21, payees: ["b0"], models: ["m"], expires: 50_000)),
            ("per_payment", try world.terms(50, payees: ["b0"], models: ["m"], expires: 50_000)),
            ("expires", try world.terms(50, perPayment: 20, payees: ["b0"], models: ["m"], expires: 50_001)),
            ("payees", try world.terms(50, perPayment: 20, payees: ["b0", "bob"], models: ["m"], expires: 50_000)),
            ("models", try world.terms(50, perPayment: 20, payees: ["b0"], models: ["n"], expires: 50_000)),
        ]
        for (field, terms) in wrong {
            let error = #expect(throws: EconomyError.self, "\(field)") { try world.grant("a0", "a1", parent: root, terms) }
            guard case .invalid("terms.\(field)", _)? = error else {
                Issue.record("\(field): \(String(describing: error))")
                continue
            }
        }
        // A list that the child leaves out is the parent's all the same.
        let child = try world.grant("a0", "a1", parent: root, world.terms(50, perPayment: 20, expires: 50_000))
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 5, payee: "bob") }
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 5, payee: "b0", model: "n") }
        _ = try world.spend("a1", child, 5, payee: "b0")
    }

    @Test func whoMayGrantWhatToWhom() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let child = try world.grant("a0", "a1", parent: root, world.terms(50))
        // A cycle, a stranger, a person as an agent, an agent without a mandate of its own, somebody else's money.
        #expect(throws: EconomyError.self) { try world.grant("a1", "a0", parent: child, world.terms(10)) }
        #expect(throws: EconomyError.self) { try world.grant("a2", "a3", parent: root, world.terms(10)) }
        #expect(throws: EconomyError.self) { try world.grant("ann", "bob", world.terms(10)) }
        #expect(throws: EconomyError.self) { try world.grant("a0", "a1", world.terms(10)) }
        #expect(throws: EconomyError.self) { try world.grant("ann", "nobody", world.terms(10)) }
        for payer in ["bob", "b0"] {
            #expect(throws: EconomyError.self) {
                try world.decide("ann", GrantRules.grant(.init(agent: "a1", payer: payer, terms: world.terms(10))))
            }
        }
        // What an agent earned is spent as its owner says.
        let own = try World.first(
            MandateGranted.self, world.decide("ann", GrantRules.grant(.init(agent: "a1", payer: "a2", terms: world.terms(10)))))
        #expect(own.payer == "a2" && own.grantor == "ann")
        #expect(throws: EconomyError.self) { try world.spend("a1", root, 1) }
    }

    @Test func timeEndsMandatesAndWhatTheyCarved() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let child = try world.grant("a0", "a1", parent: root, world.terms(90, expires: 5_000, carved: true))
        world.now = 5_000
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 1) }
        #expect(throws: EconomyError.self) { try world.spend("a0", root, 11) }
        try world.decide("agent-gateway", GrantRules.expire(at: world.time(5_000)))
        #expect(world.state.mandates[child]?.ended == "expired")
        _ = try world.spend("a0", root, 100)
    }

    @Test func paymentsThatNobodySpeaksOfAreFreeAgain() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100))
        let spent = try world.spend("a0", root, 100, seconds: 10)
        world.now += 9
        #expect(try world.decide("agent-gateway", SpendingRules.expire()).isEmpty)
        world.now += 1
        try world.decide("agent-gateway", SpendingRules.expire())
        #expect(throws: EconomyError.self) { try world.decide("a0", SpendingRules.settle(spent, World.amount(1))) }
        _ = try world.spend("a0", root, 100)
    }

    @Test func aPaymentAboveTheThresholdNeedsAHumansWordOnceAndForItAlone() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(1_000, approvalAbove: 50))
        let child = try world.grant("a0", "a1", parent: root, world.terms(500))
        _ = try world.spend("a1", child, 50)
        let error = #expect(throws: EconomyError.self) { try world.spend("a1", child, 51) }
        #expect(error == .needsApproval(mandate: child, above: try World.amount(50)))
        let wish = Spending(try World.amount(80), purpose: "inference", payee: "acme", model: "m")
        let request = try World.first(ApprovalRequested.self, world.decide("a1", SpendingRules.request(wish, under: child)))
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 80, payee: "acme", approval: request.approval) }
        for stranger in ["a0", "a1", "bob"] {
            #expect(throws: EconomyError.self) {
                try world.decide(stranger, SpendingRules.decide(request.approval, granted: true, seconds: 100))
            }
        }
        try world.decide("ann", SpendingRules.decide(request.approval, granted: true, seconds: 100))
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 81, payee: "acme", approval: request.approval) }
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 80, payee: "acme", model: "n", approval: request.approval) }
        _ = try world.spend("a1", child, 80, payee: "acme", approval: request.approval)
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 80, payee: "acme", approval: request.approval) }
        // A no, and a yes that came too late.
        let second = try World.first(ApprovalRequested.self, world.decide("a1", SpendingRules.request(wish, under: child)))
        try world.decide("ann", SpendingRules.decide(second.approval, granted: false, seconds: 1))
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 80, payee: "acme", approval: second.approval) }
        let third = try World.first(ApprovalRequested.self, world.decide("a1", SpendingRules.request(wish, under: child)))
        try world.decide("ann", SpendingRules.decide(third.approval, granted: true, seconds: 5))
        world.now += 5
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 80, payee: "acme", approval: third.approval) }
    }

    @Test func anApprovalIsForOnePaymentAndNoOther() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(1_000, approvalAbove: 50))
        func opened(_ world: inout World, _ units: Int, to provider: String = "b0") throws -> String {
            let wish = TaskRules.Wish(
                provider: provider, brief: SHA256.hash(utf8: "b"), amount: try World.amount(units), deadline: world.time(9_000))
            return try World.first(TaskOpened.self, world.decide("a0", TaskRules.open(wish))).task
        }
        let (task, twin) = (try opened(&world, 80), try opened(&world, 80))
        func spending(_ units: Int, _ purpose: String, _ task: String?, to payee: String? = "b0") throws -> Spending {
            Spending(try World.amount(units), purpose: purpose, payee: payee, task: task)
        }
        // Nobody is asked for a word that would be good for whatever.
        for vague in [
            try spending(80, "task", nil), try spending(80, "inference", nil), try spending(80, "gift", nil),
            try spending(80, "payment", nil, to: nil), try spending(79, "task", task), try spending(80, "task", task, to: "bob"),
            try spending(80, "task", "tk_none"), try spending(80, "payment", task),
        ] { #expect(throws: EconomyError.self, "\(vague)") { try world.decide("a0", SpendingRules.request(vague, under: mandate)) } }
        let wish = try spending(80, "task", task)
        let approval = try World.first(ApprovalRequested.self, world.decide("a0", SpendingRules.request(wish, under: mandate))).approval
        try world.decide("ann", SpendingRules.decide(approval, granted: true, seconds: 100))
        func pay(_ spending: Spending) throws {
            var approved = spending
            approved.approval = approval
            try world.decide("a0", SpendingRules.authorize(approved, under: mandate, seconds: 10))
        }
        // Another task, purpose, amount or payee is not what was said yes to.
        for other in [
            try spending(80, "task", twin), try spending(80, "payment", nil), try spending(79, "task", task),
            try spending(80, "task", task, to: "bob"),
        ] { #expect(throws: EconomyError.self, "\(other)") { try pay(other) } }
        try pay(wish)
        #expect(throws: EconomyError.self) { try pay(wish) }
    }

    @Test func aRecurrenceCountsPaymentsOfTheWholeSubtree() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100, recurrence: MandateRecurrence(every: "hour", most: 2)))
        let child = try world.grant("a0", "a1", parent: root, world.terms(100))
        _ = try world.spend("a0", root, 1)
        _ = try world.spend("a1", child, 1)
        #expect(throws: EconomyError.self) { try world.spend("a1", child, 1) }
        world.now += 3_600
        _ = try world.spend("a1", child, 1)
    }

    @Test func mandatesForSomeServicesOnlyAreForNothingElse() throws {
        var world = try World()
        let root = try world.grant("ann", "a0", world.terms(100, services: ["sv_1"]))
        #expect(throws: EconomyError.self) { try world.spend("a0", root, 1, service: nil, model: nil) }
        #expect(throws: EconomyError.self) { try world.spend("a0", root, 1, service: "sv_2", model: nil) }
        _ = try world.spend("a0", root, 1, service: "sv_1", model: nil)
    }

    private static let moments: [(seconds: Int64, period: String, number: Int64)] = [
        (0, "once", 0), (3_599, "hour", 0), (3_600, "hour", 1), (86_399, "day", 0), (86_400, "day", 1), (4 * 86_400 - 1, "week", 0),
        (4 * 86_400, "week", 1), (31 * 86_400 - 1, "month", 1_970 * 12 + 1), (31 * 86_400, "month", 1_970 * 12 + 2),
    ]

    @Test func periodsBeginOnTheHourAtMidnightOnMondayAndOnTheFirst() {
        for moment in Self.moments {
            let time = Timestamp(microseconds: moment.seconds * 1_000_000)
            #expect(MandatePeriod.number(of: time, moment.period) == moment.number, "\(moment)")
        }
    }
}
