import JSON
import AgentEconomyDomain
import Crypto
import Decisions
import Events
import Money
import Testing

@Suite struct TaskTests {
    private static let brief = SHA256.hash(utf8: "brief")
    private static let artefact = [TaskArtefact(hash: SHA256.hash(utf8: "work"), bytes: 4, media: "text/plain")]

    private func wish(
        _ world: World, to provider: String, _ units: Int, evaluator: String? = nil, parent: String? = nil, service: String? = nil,
        milestones: [Int] = [], split: [TaskShare] = [], deadline: Int64 = 10_000
    ) throws -> TaskRules.Wish {
        TaskRules.Wish(
            provider: provider, evaluator: evaluator, parent: parent, service: service, brief: Self.brief, amount: try World.amount(units),
            milestones: try milestones.map(World.amount), split: split, deadline: world.time(deadline))
    }

    private func open(_ world: inout World, _ client: String, _ wish: TaskRules.Wish) throws -> String {
        try World.first(TaskOpened.self, world.decide(client, TaskRules.open(wish))).task
    }

    /// Opens and funds a first task: by a hold on ann's balance.
    private func funded(_ world: inout World, _ wish: TaskRules.Wish, client: String = "ann") throws -> String {
        let task = try open(&world, client, wish)
        try world.decide(client, TaskRules.fund(task, wish.amount, payer: client, hold: "hd_" + task, authorization: nil))
        return task
    }

    private func below(_ world: inout World, _ client: String, _ wish: TaskRules.Wish, knowing person: String? = nil) throws -> String {
        if let person { try world.fold(PrincipalRegistered(principal: person, kind: "person", key: "did:" + person)) }
        let task = try open(&world, client, wish)
        try world.decide(client, TaskRules.fundFromAbove(task, wish.amount))
        return task
    }

    private func submit(_ world: inout World, _ task: String, by provider: String) throws {
        try world.decide(provider, TaskRules.submit(task, Self.artefact, signature: nil))
    }

    private func complete(_ world: inout World, _ task: String, by judge: String) throws -> TaskCompleted {
        try World.first(TaskCompleted.self, world.decide(judge, TaskRules.complete(task, signature: nil)))
    }

    private func accept(_ world: inout World, _ task: String, by judge: String) throws -> TaskAccepted {
        try World.first(TaskAccepted.self, world.decide(judge, TaskRules.complete(task, signature: nil)))
    }

    @Test func workIsPaidWhenItIsAcceptedAndOnce() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "a0", 100))
        #expect(throws: EconomyError.self) { try complete(&world, task, by: "ann") }
        #expect(throws: EconomyError.self) { try submit(&world, task, by: "a1") }
        try submit(&world, task, by: "a0")
        #expect(throws: EconomyError.self) { try submit(&world, task, by: "a0") }
        #expect(throws: EconomyError.self) { try complete(&world, task, by: "a0") }
        let done = try complete(&world, task, by: "ann")
        #expect(done.payouts == [TaskPayout(account: AccountID(trusted: "payer:a0"), amount: try World.amount(100))])
        #expect(done.isOver && done.frees && done.hold == "hd_" + task && done.spent.units == 100)
        #expect(throws: EconomyError.self) { try complete(&world, task, by: "ann") }
        #expect(throws: EconomyError.self) { try world.decide("ann", TaskRules.reject(task)) }
        #expect(world.state.openTasks.isEmpty)
    }

    @Test func anEvaluatorAloneJudgesAndHasNothingToDoWithTheProvider() throws {
        var world = try World()
        for colluding in ["a0", "a1", "ann"] {
            #expect(throws: EconomyError.self) { try open(&world, "bob", wish(world, to: "a0", 10, evaluator: colluding)) }
        }
        let task = try funded(&world, wish(world, to: "a0", 100, evaluator: "b0"), client: "bob")
        try submit(&world, task, by: "a0")
        #expect(throws: EconomyError.self) { try complete(&world, task, by: "bob") }
        #expect(throws: EconomyError.self) { try world.decide("bob", TaskRules.reject(task)) }
        _ = try complete(&world, task, by: "b0")
    }

    @Test func stagesArePaidOneAfterAnother() throws {
        var world = try World()
        #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "b0", 100, milestones: [50, 49])) }
        #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "b0", 100, milestones: [100, 0])) }
        let task = try funded(&world, wish(world, to: "b0", 100, milestones: [30, 70]))
        try submit(&world, task, by: "b0")
        let first = try complete(&world, task, by: "ann")
        #expect(first.amount.units == 30 && !first.isOver && !first.frees && first.milestone == 0)
        try submit(&world, task, by: "b0")
        // What was accepted stays paid when the rest comes to nothing.
        let events = try world.decide("ann", TaskRules.reject(task))
        let rejected = try World.first(TaskRejected.self, events)
        #expect(rejected.spent?.units == 30 && rejected.hold == "hd_" + task && rejected.reason == "refused")
    }

    @Test func aTaskBelowIsPaidByTheEscrowAboveAndTheRestIsTheProviders() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "a0", 100))
        #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "b0", 10, parent: task)) }
        #expect(throws: EconomyError.self) { try open(&world, "a0", wish(world, to: "ann", 10, parent: task)) }
        #expect(throws: EconomyError.self) { try open(&world, "a0", wish(world, to: "b0", 10, parent: task, deadline: 10_001)) }
        let first = try below(&world, "a0", wish(world, to: "b0", 60, parent: task))
        let second = try open(&world, "a0", wish(world, to: "a1", 41, parent: task))
        #expect(throws: EconomyError.self) { try world.decide("a0", TaskRules.fundFromAbove(second, World.amount(41))) }
        let third = try below(&world, "b0", wish(world, to: "a2", 25, parent: first))
        // Nobody above may be hired again further down.
        #expect(throws: EconomyError.self) { try open(&world, "a2", wish(world, to: "a0", 1, parent: third)) }
        try submit(&world, task, by: "a0")
        #expect(throws: EconomyError.self) { try complete(&world, task, by: "ann") }
        try submit(&world, third, by: "a2")
        #expect(try accept(&world, third, by: "b0").amount.units == 25)
        try submit(&world, first, by: "b0")
        #expect(try accept(&world, first, by: "a0").payouts.map(\.amount.units) == [35])
        // All of it is due with the word of who judges the whole, each part by itself, the deepest first.
        let due = try world.decide("ann", TaskRules.complete(task, signature: nil))
            .filter { $0.type == TaskCompleted.type }.map { try TaskCompleted($0.data.object()) }
        #expect(due.map(\.task) == [third, first, task] && due.map(\.by) == ["b0", "a0", "ann"])
        #expect(due.map { $0.payouts.map(\.amount.units) } == [[25], [35], [40]])
        #expect(due.allSatisfy { $0.hold == "hd_" + task && $0.payer == "ann" } && due.map(\.frees) == [false, false, true])
        #expect(due.last?.spent.units == 100 && world.state.tasks[third]?.paid == 25)
        #expect(world.state.tasks[second]?.phase == .rejected)
    }

    @Test func whatATaskBelowDoesNotNeedGoesBackToTheOneAbove() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "a0", 100))
        let below = try below(&world, "a0", wish(world, to: "b0", 60, parent: task, milestones: [20, 40]))
        try submit(&world, below, by: "b0")
        _ = try accept(&world, below, by: "a0")
        try world.decide("b0", TaskRules.reject(below))
        #expect(world.state.tasks[task]?.left == 80)
        try submit(&world, task, by: "a0")
        let due = try world.decide("ann", TaskRules.complete(task, signature: nil)).map { try TaskCompleted($0.data.object()) }
        #expect(due.map(\.amount.units) == [20, 80] && due.map(\.task) == [below, task])
    }

    @Test func whoPassesItAllOnAndAcceptsItTakesNothingBeforeTheClientDoes() throws {
        var world = try World(agents: 2)
        try world.fold(PrincipalRegistered(principal: "eve", kind: "person", key: "did:eve"))
        // Everything goes to a second principal, who hands it on to a third, and each says the work is good.
        let task = try funded(&world, wish(world, to: "b0", 100))
        let second = try below(&world, "b0", wish(world, to: "eve", 100, parent: task))
        let third = try below(&world, "eve", wish(world, to: "a1", 60, parent: second))
        try submit(&world, third, by: "a1")
        _ = try accept(&world, third, by: "eve")
        // What the second accepts, the first refuses: it comes to nothing.
        #expect(world.state.tasks[second]?.left == 40)
        try submit(&world, second, by: "eve")
        _ = try accept(&world, second, by: "b0")
        #expect(world.state.tasks[third]?.paid == 0 && world.state.tasks[second]?.earned == 40)
        try submit(&world, task, by: "b0")
        let rejected = try World.first(TaskRejected.self, world.decide("ann", TaskRules.reject(task)))
        #expect(rejected.spent?.units == 0 && rejected.hold == "hd_" + task)
        #expect(!world.events.contains { $0.type == TaskCompleted.type })
    }

    @Test func aRefusedPartGivesBackWhatWasAcceptedWithinIt() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "b0", 100))
        let second = try below(&world, "b0", wish(world, to: "a0", 80, parent: task))
        let third = try below(&world, "a0", wish(world, to: "bob", 50, parent: second))
        try submit(&world, third, by: "bob")
        _ = try accept(&world, third, by: "a0")
        try world.decide("b0", TaskRules.reject(second))
        #expect(world.state.tasks[task]?.left == 100)
        try submit(&world, task, by: "b0")
        #expect(try complete(&world, task, by: "ann").amount.units == 100)
    }

    @Test func stagesAboveReleaseNoMoreThanTheyWereAgreedFor() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "b0", 100, milestones: [30, 30, 40]))
        let large = try below(&world, "b0", wish(world, to: "a0", 50, parent: task))
        let small = try below(&world, "b0", wish(world, to: "a1", 20, parent: task))
        for (part, who) in [(large, "a0"), (small, "a1")] {
            try submit(&world, part, by: who)
            _ = try accept(&world, part, by: "b0")
        }
        func stage() throws -> [(String, Int128)] {
            try submit(&world, task, by: "b0")
            return try world.decide("ann", TaskRules.complete(task, signature: nil))
                .map { try TaskCompleted($0.data.object()) }.map { ($0.task, $0.amount.units) }
        }
        // 30 agreed: the small part fits, the large one does not, and its provider has the rest of the stage.
        #expect(try stage().map(\.1) == [20, 10])
        #expect(try stage().map(\.1) == [20])
        let last = try stage()
        #expect(last.map(\.0) == [large, task] && last.map(\.1) == [50, 0])
        #expect(world.state.tasks[task]?.spent == 100)
    }

    @Test func whoJudgesTheWholePaysAPartAtOnce() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "b0", 100))
        let part = try below(&world, "b0", wish(world, to: "eve", 60, evaluator: "ann", parent: task), knowing: "eve")
        try submit(&world, part, by: "eve")
        #expect(throws: EconomyError.self) { try complete(&world, part, by: "b0") }
        #expect(try complete(&world, part, by: "ann").amount.units == 60)
        #expect(try World.first(TaskRejected.self, world.decide("ann", TaskRules.reject(task))).spent?.units == 60)
    }

    @Test func nobodyJudgesTheirOwnHouseWithSomebodyElsesMoney() throws {
        var world = try World()
        try world.fold(PrincipalRegistered(principal: "b1", kind: "agent", key: "did:b1", owner: "bob"))
        let task = try funded(&world, wish(world, to: "b0", 100))
        for own in ["b1", "bob"] { #expect(throws: EconomyError.self) { try open(&world, "b0", wish(world, to: own, 10, parent: task)) } }
        _ = try open(&world, "b0", wish(world, to: "b1", 10, evaluator: "ann", parent: task))
        // Ann lets bob's agent spend her money: it hires none of bob's by its own judgement.
        let mandate = try world.grant("ann", "b0", world.terms(100))
        let hired = try open(&world, "b0", wish(world, to: "b1", 10))
        let spending = Spending(try World.amount(10), purpose: "task", payee: "b1")
        let authorized = try World.first(
            MandateAuthorized.self, world.decide("b0", SpendingRules.authorize(spending, under: mandate, seconds: 10)))
        #expect(throws: EconomyError.self) {
            try world.decide(
                "b0", TaskRules.fund(hired, World.amount(10), payer: "ann", hold: "h", authorization: authorized.authorization))
        }
        // With money of its own house it may.
        _ = try funded(&world, wish(world, to: "b1", 10), client: "bob")
    }

    @Test func aTreeHasABoundAndEndsInOneAppend() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "b0", 1_000))
        for index in 0..<9 {
            let part = try below(
                &world, "b0", wish(world, to: "a\(index % 4)", 50, parent: task, milestones: Array(repeating: 1, count: 50)))
            if index == 0 {
                try submit(&world, part, by: "a0")
                _ = try accept(&world, part, by: "b0")
            }
        }
        _ = try below(&world, "b0", wish(world, to: "a0", 49, parent: task, milestones: Array(repeating: 1, count: 49)))
        #expect(throws: EconomyError.self) { try open(&world, "b0", wish(world, to: "a0", 1, parent: task)) }
        #expect(try world.decide("ann", TaskRules.reject(task)).count == 11)
        #expect(world.state.openTasks.isEmpty)
    }

    @Test func thePayGoesOnAlongTheSplitToTheLastUnit() throws {
        var world = try World()
        try world.fold(try Terms.model("acme/defi", owner: "carl"))
        try world.fold(try Terms.datanet("dn_1"))
        let split = [
            TaskShare(kind: "model", id: "acme/defi", points: 2_000), TaskShare(kind: "datanet", id: "dn_1", points: 1_500),
            TaskShare(kind: "agent", id: "b0", points: 3_333),
        ]
        for wrong in [
            [TaskShare(kind: "model", id: "none", points: 1)], [TaskShare(kind: "datanet", id: "none", points: 1)],
            [TaskShare(kind: "agent", id: "none", points: 1)], [TaskShare(kind: "moon", id: "b0", points: 1)],
            [TaskShare(kind: "agent", id: "b0", points: 10_001)], [TaskShare(kind: "agent", id: "b0", points: 0)], [split[2], split[2]],
        ] {
            #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "a0", 101, split: wrong)) }
        }
        let task = try funded(&world, wish(world, to: "a0", 101, split: split))
        try submit(&world, task, by: "a0")
        let payouts = try complete(&world, task, by: "ann").payouts
        #expect(payouts.reduce(0) { $0 + $1.amount.units } == 101)
        let byAccount = Dictionary(uniqueKeysWithValues: payouts.map { ($0.account.text, $0.amount.units) })
        #expect(byAccount == ["payer:a0": 32, "payer:b0": 34, "model-owner:carl": 20, "datanet:dn_1": 15])
    }

    @Test func timeEndsWhatIsNotDeliveredAndADayLaterWhatIsNotJudged() throws {
        var world = try World()
        let task = try funded(&world, wish(world, to: "a0", 100))
        let below = try below(&world, "a0", wish(world, to: "b0", 60, parent: task, deadline: 9_000))
        try submit(&world, below, by: "b0")
        world.now = 10_000
        #expect(throws: EconomyError.self) { try submit(&world, task, by: "a0") }
        // The one below was delivered: it may still be judged, and until then the escrow stays.
        #expect(throws: EconomyError.self) { try world.decide("bob", TaskRules.expire(task)) }
        #expect(try world.decide("agent-gateway", TaskRules.expireAll()).isEmpty)
        world.now = 9_000 + TaskRules.judging
        let expired = try world.decide("agent-gateway", TaskRules.expireAll())
        #expect(try expired.map { try TaskExpired($0.data.object()).task } == [below, task])
        #expect(try expired.compactMap { try TaskExpired($0.data.object()).hold } == ["hd_" + task])
        #expect(try world.decide("agent-gateway", TaskRules.expireAll()).isEmpty)
        #expect(throws: EconomyError.self) { try world.decide("bob", TaskRules.expire(task)) }
    }

    @Test func aTaskEndsWithWhatWasSpentOfItsAuthorisation() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100))
        func hire(_ units: Int, isFunded: Bool = true) throws -> String {
            let task = try open(&world, "a0", wish(world, to: "b0", units, milestones: [units / 2, units - units / 2]))
            let spending = Spending(try World.amount(units), purpose: "task", payee: "b0")
            let authorized = try World.first(
                MandateAuthorized.self, world.decide("a0", SpendingRules.authorize(spending, under: mandate, seconds: 10)))
            if !isFunded { return authorized.authorization }
            try world.decide(
                "a0",
                TaskRules.fund(task, World.amount(units), payer: "ann", hold: "hd_" + task, authorization: authorized.authorization))
            return task
        }
        let first = try hire(80)
        #expect(throws: EconomyError.self) { try world.spend("a0", mandate, 21) }
        try submit(&world, first, by: "b0")
        _ = try complete(&world, first, by: "a0")
        // The authorisation of a task runs as long as the task.
        let orphan = try hire(10, isFunded: false)
        #expect(try world.decide("agent-gateway", SpendingRules.expire()).isEmpty)
        world.now += 1_000
        // One that no task got is free again, with the hold that was placed for it.
        try world.fold(
            HoldPlaced(
                id: "hd_orphan", account: AccountID(trusted: "payer:ann"), amount: World.amount(10), expires: world.time(1_000_000),
                reference: orphan))
        #expect(try world.decide("agent-gateway", SpendingRules.expire()).count == 1)
        #expect(world.state.holdsToFree.map(\.hold) == ["hd_orphan"])
        try world.decide("b0", TaskRules.reject(first))
        #expect(world.state.mandates[mandate]?.free(in: 0) == 60)

        // Revoked: what is not delivered ends and is given back, what is delivered is judged.
        let second = try hire(20)
        let third = try hire(40)
        try submit(&world, third, by: "b0")
        #expect(try world.decide("ann", GrantRules.revoke(mandate)).map(\.type) == [MandateRevoked.type])
        // From that moment nothing more is taken.
        #expect(throws: EconomyError.self) { try submit(&world, second, by: "b0") }
        #expect(throws: EconomyError.self) { try open(&world, "b0", wish(world, to: "a1", 1, parent: second)) }
        let events = try world.decide("agent-gateway", TaskRules.endStopped())
        #expect(try World.first(TaskRejected.self, events).task == second)
        #expect(try world.decide("agent-gateway", TaskRules.endStopped()).isEmpty)
        #expect(world.state.tasks[second]?.phase == .rejected && world.state.tasks[third]?.phase == .submitted)
        #expect(try complete(&world, third, by: "a0").amount.units == 20)
        #expect(throws: EconomyError.self) { try hire(1) }
    }

    @Test func aMandateEndsHoweverManyTasksRunUnderIt() throws {
        var world = try World()
        let mandate = try world.grant("ann", "a0", world.terms(100_000))
        func hire(_ isDelivered: Bool) throws {
            let task = try open(&world, "a0", wish(world, to: "b0", 10))
            let spending = Spending(try World.amount(10), purpose: "task", payee: "b0")
            let authorized = try World.first(
                MandateAuthorized.self, world.decide("a0", SpendingRules.authorize(spending, under: mandate, seconds: 10)))
            try world.decide(
                "a0", TaskRules.fund(task, World.amount(10), payer: "ann", hold: "hd_" + task, authorization: authorized.authorization))
            if isDelivered { try submit(&world, task, by: "b0") }
        }
        for _ in 0..<201 { try hire(true) }
        for _ in 0..<250 { try hire(false) }
        #expect(try world.decide("ann", GrantRules.revoke(mandate)).count == 1)
        var ended: [Int] = []
        while true {
            let batch = try world.decide("agent-gateway", TaskRules.endStopped())
            if batch.isEmpty { break }
            ended.append(batch.count)
        }
        #expect(ended == [100, 100, 50] && world.state.openTasks.count == 201)
    }

    @Test func badOffersAreRefused() throws {
        var world = try World()
        world.now = 1_000
        for wrong in [
            try wish(world, to: "nobody", 10), try wish(world, to: "ann", 10), try wish(world, to: "a0", 0), try wish(world, to: "a0", -5),
            try wish(world, to: "a0", 10, deadline: 1_000), try wish(world, to: "a0", 10, deadline: 1_001 + TaskRules.longest),
            try wish(world, to: "a0", 10, service: "sv_none"), try wish(world, to: "a0", 10, parent: "tk_none"),
            try wish(world, to: "a0", 10, evaluator: "nobody"),
        ] {
            #expect(throws: EconomyError.self) { try open(&world, "ann", wrong) }
        }
        let task = try funded(&world, wish(world, to: "a0", 10))
        let many = Array(repeating: Self.artefact[0], count: TaskRules.maximumArtefacts + 1)
        let huge = [TaskArtefact(hash: Self.brief, bytes: TaskRules.maximumBytes + 1, media: "x")]
        for wrong in [[], many, huge] {
            #expect(throws: EconomyError.self) { try world.decide("a0", TaskRules.submit(task, wrong, signature: nil)) }
        }
        // Another amount than the task's, a second time, and by another.
        let other = try open(&world, "ann", wish(world, to: "a0", 10))
        for (who, units) in [("ann", 9), ("bob", 10)] {
            #expect(throws: EconomyError.self) {
                try world.decide(who, TaskRules.fund(other, World.amount(units), payer: "ann", hold: "h", authorization: nil))
            }
        }
        #expect(throws: EconomyError.self) {
            try world.decide("ann", TaskRules.fund(task, World.amount(10), payer: "ann", hold: "h", authorization: nil))
        }
    }

    @Test func aServiceIsHiredAtItsPriceFromWhoOffersIt() throws {
        var world = try World()
        let listed = try World.first(
            ServiceListed.self, world.decide("b0", ServiceRules.list(page: Self.brief, price: World.amount(50), seconds: 60)))
        #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "b0", 49, service: listed.service)) }
        #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "a0", 50, service: listed.service)) }
        _ = try open(&world, "ann", wish(world, to: "b0", 50, service: listed.service))
        #expect(throws: EconomyError.self) {
            try world.decide("a0", ServiceRules.change(listed.service, page: Self.brief, price: World.amount(1), seconds: 1))
        }
        let changed = try world.decide("b0", ServiceRules.change(listed.service, page: Self.brief, price: World.amount(60), seconds: 1))
        #expect(try World.first(ServiceListed.self, changed).version == 2)
        try world.decide("b0", ServiceRules.withdraw(listed.service))
        #expect(throws: EconomyError.self) { try open(&world, "ann", wish(world, to: "b0", 60, service: listed.service)) }
    }
}
