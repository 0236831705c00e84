import AdapterRouter
import TestSupport
import Testing

@Suite struct AdapterRouterTests {
    private static func backend(
        _ name: String = "one", slots: Int = 2, concurrency: Int = 2, loads: Int = 2, mixes: Bool = true, bases: Set<String> = ["base"],
        fixed: [AdapterName] = []
    ) -> BackendProfile {
        BackendProfile(name: name, bases: bases, slots: slots, concurrency: concurrency, loads: loads, mixesBases: mixes, fixed: fixed)
    }

    @Test func manyWhoAskForOneColdAdapterShareOneLoad() {
        var house = RouterHouse([Self.backend(concurrency: 8), Self.backend("two", concurrency: 8)])
        let ids = (0..<6).map { _ in house.ask("base", "a") }
        #expect(house.loads == 1 && house.running.isEmpty)
        house.now = 1_000
        house.load()
        #expect(Set(house.running.keys) == Set(ids) && house.cold == Set(ids))
        let warm = house.ask("base", "a")
        #expect(house.running[warm] != nil && !house.cold.contains(warm) && house.loads == 1)
    }

    @Test func whatBeginsElsewhereHoldsNoSlotForItself() throws {
        var router = AdapterRouter([Self.backend(slots: 1, concurrency: 1), Self.backend("two", slots: 1, concurrency: 1)])
        func ask(_ id: UInt64, _ adapter: String, _ now: Int64) -> [RouterAction] {
            router.submit(RoutedRequest(id: id, name: AdapterName(base: "base", adapter: adapter), principal: "all"), at: now)
        }
        func loads(_ actions: [RouterAction]) -> [Int] {
            actions.compactMap { if case .load(_, let backend) = $0 { backend } else { nil } }
        }
        let hot = AdapterName(base: "base", adapter: "hot")
        let first = try #require(loads(ask(1, "hot", 0)).first)
        _ = router.loaded(hot, on: first, at: 10)
        // The second waits so long that a copy is brought in for it, and then begins where the first one was.
        _ = ask(2, "hot", 20)
        let second = try #require(loads(router.tick(at: 1_000_000)).first)
        #expect(second != first)
        _ = router.finished(1, .served, at: 1_000_010)
        _ = router.loaded(hot, on: second, at: 1_000_020)
        #expect(router.waiting == 0)
        #expect(loads(ask(3, "cold", 1_000_030)) == [second])
    }

    @Test func aBaseAloneNeedsNoLoadAndGoesWhereLeastIsGoingOn() {
        var house = RouterHouse([Self.backend(slots: 0, loads: 0), Self.backend("two", slots: 0, loads: 0)])
        let ids = (0..<4).map { _ in house.ask("base") }
        #expect(ids.compactMap { house.running[$0]?.backend } == [0, 1, 0, 1])
        let (adapter, other) = (house.ask("base", "a"), house.ask("other"))
        #expect(house.refused == [adapter: .unknown, other: .unknown])
    }

    @Test func textsAreEmbeddedWhereThatIsDoneInTurnWithAnswers() {
        let embeds = BackendProfile(name: "two", bases: ["base"], embeds: ["base", "vectors"], slots: 0, concurrency: 2, loads: 0)
        var house = RouterHouse([Self.backend(slots: 0, loads: 0), embeds]) { $0.mostWaitingOfOne = 1 }
        let ids = (0..<2).map { _ in house.embed("vectors") }
        #expect(ids.compactMap { house.running[$0]?.backend } == [1, 1])
        // Its places are those of answers too: these go elsewhere.
        let answer = house.ask("base")
        #expect(house.running[answer]?.backend == 0)
        let (waits, tooMuch, other) = (house.embed("base"), house.embed("base"), house.embed("base", by: "bob"))
        if case .tooManyOfOne? = house.refused[tooMuch] {} else { Issue.record("\(house.refused)") }
        let none = house.embed("none")
        #expect(house.refused[none] == .unknown)
        house.finish(ids[0])
        house.finish(ids[1])
        #expect(house.running[waits]?.backend == 1 && house.running[other]?.backend == 1)
    }

    @Test func whatIsAskedForOftenStaysAndWhatWasLookedAtOnceGoes() {
        var house = RouterHouse([Self.backend(slots: 3, concurrency: 8)])
        var learned = 0
        for round in 0..<80 {
            for name in ["often", "also"] {
                let id = house.ask("base", name)
                house.now += 10_000
                house.load()
                house.finish(id)
            }
            let id = house.ask("base", "once-\(round)")
            house.now += 10_000
            house.load()
            house.finish(id)
            if round == 40 { learned = house.unloaded.count }
        }
        // From then on those that are popular stay, and each that is looked at once goes for the next.
        let later = house.unloaded.dropFirst(learned)
        #expect(later.count == 39 && !later.contains { ["often", "also"].contains($0.adapter) })
    }

    @Test func whatIsDearToBringInStaysBesideWhatIsCheap() {
        var house = RouterHouse([Self.backend(slots: 2, concurrency: 8)])
        for _ in 0..<5 {
            for (name, time) in [("dear", 900_000), ("cheap", 1_000)] as [(String, Int64)] {
                let id = house.ask("base", name)
                house.now += time
                house.load()
                house.finish(id)
            }
        }
        house.ask("base", "new")
        #expect(house.unloaded == [AdapterName(base: "base", adapter: "cheap")])
    }

    @Test func aBusyAdapterIsCopiedOnceWaitingCostsSomeTimesWhatLoadingDoes() {
        var house = RouterHouse([Self.backend(concurrency: 1), Self.backend("two", concurrency: 1)])
        house.ask("base", "a")
        house.now = 50_000
        house.load()
        let waits = house.ask("base", "a")
        #expect(house.loads == 1 && house.running[waits] == nil)
        house.pass(120_000)
        #expect(house.loads == 1)
        house.pass(40_000)
        #expect(house.loads == 2)
        house.now += 50_000
        house.load()
        #expect(house.running[waits]?.backend == 1)
    }

    @Test func aColdRequestIsNotStarvedByWarmOnes() {
        var house = RouterHouse([Self.backend(slots: 2, concurrency: 4)])
        var warm: [UInt64] = []
        for name in ["x", "y"] { warm.append(house.ask("base", name)) }
        house.load()
        house.load()
        let cold = house.ask("base", "z", by: "bob")
        // One more of each begins before the last of each has ended, for ever.
        for round in 0..<400 where house.running[cold] == nil {
            warm.append(house.ask("base", round % 2 == 0 ? "x" : "y"))
            house.pass(10_000)
            if let first = warm.first(where: { house.running[$0] != nil }), house.running.count > 2 || round > 100 {
                house.finish(first)
                warm.removeAll { $0 == first }
            }
            house.load()
        }
        #expect(house.running[cold] != nil && house.now < 3_000_000)
    }

    @Test func whatFailsBeforeItsFirstWordIsTriedElsewhere() {
        var house = RouterHouse([Self.backend(), Self.backend("two"), Self.backend("three")])
        let id = house.ask("base", "a")
        house.load()
        #expect(house.running[id]?.backend == 0)
        house.finish(id, .failed)
        house.load()
        #expect(house.running[id]?.backend == 1)
        house.finish(id, .failed)
        house.load()
        #expect(house.running[id]?.backend == 2)
        house.finish(id, .failed)
        #expect(house.refused[id] == .failed)
    }

    @Test func aBackendThatLostAnAdapterGetsItAgain() {
        var house = RouterHouse([Self.backend()])
        let id = house.ask("base", "a")
        house.load()
        house.finish(id, .missing)
        #expect(house.loads == 2 && house.running[id] == nil)
        house.load()
        #expect(house.running[id]?.backend == 0)
        house.finish(id)
        #expect(house.router.figures[0].served == 1)
    }

    @Test func whatWaitsGoesElsewhereWhenItsBackendClosesAndTheBackendIsTriedAgainLater() {
        var house = RouterHouse([Self.backend(concurrency: 1), Self.backend("two", concurrency: 1)])
        let first = house.ask("base"), second = house.ask("base")
        house.finish(second, .served)
        for _ in 0..<2 {
            let id = house.ask("base")
            #expect(house.running[id]?.backend == 1)
            house.finish(id, .broke)
        }
        let third = house.ask("base"), waits = house.ask("base")
        #expect(house.running[third]?.backend == 1 && house.running[waits] == nil)
        house.finish(third, .broke)
        // Three in a row: the second is closed, and what waits takes the first.
        #expect(house.running[waits] == nil)
        #expect(!house.router.figures[1].isOpen)
        house.finish(first)
        #expect(house.running[waits]?.backend == 0)
        let probe = house.ask("base")
        #expect(house.running[probe] == nil)
        house.pass(1_000_000)
        #expect(house.running[probe]?.backend == 1)
        house.finish(probe)
        #expect(house.router.figures[1].isOpen)
    }

    @Test func theLastBackendIsAskedHoweverOftenItFailed() {
        var house = RouterHouse([Self.backend(), Self.backend("two")]) { $0.failures = 1 }
        for backend in [0, 1, 0, 1, 0] {
            let id = house.ask("base")
            #expect(house.running[id] != nil, "\(backend)")
            house.finish(id, .broke)
        }
        house.drain(0)
        house.drain(1)
        let late = house.ask("base")
        guard case .noBackend = house.refused[late] else {
            Issue.record("it was not refused")
            return
        }
    }

    @Test func aBackendThatAnswersAgainIsOpenBeforeItsAnswerEnds() {
        var house = RouterHouse([Self.backend(concurrency: 3), Self.backend("two", concurrency: 1)]) { $0.failures = 1 }
        house.finish(house.ask("base"), .broke)
        let other = house.ask("base")
        #expect(house.running[other]?.backend == 1)
        house.pass(1_000_000)
        let (probe, waits) = (house.ask("base"), house.ask("base"))
        #expect(house.running[probe]?.backend == 0 && house.running[waits] == nil)
        house.hear(probe)
        #expect(house.running[waits]?.backend == 0)
    }

    @Test func aBackendThatDrainsGetsNothingNewAndEndsWhatItHas() {
        var house = RouterHouse([Self.backend(concurrency: 4), Self.backend("two", concurrency: 1)])
        let old = house.ask("base")
        house.drain(0)
        let new = house.ask("base"), waits = house.ask("base")
        #expect(house.running[old]?.backend == 0 && house.running[new]?.backend == 1 && house.running[waits] == nil)
        house.finish(old)
        #expect(house.running[waits] == nil && house.router.figures[0].running == 0)
        house.drain(0, false)
        #expect(house.running[waits]?.backend == 0)
    }

    @Test func principalsTakeTurnsHoweverMuchOneAsksFor() {
        var house = RouterHouse([Self.backend(concurrency: 1)])
        let first = house.ask("base", by: "greedy")
        let many = (0..<20).map { _ in house.ask("base", by: "greedy") }
        let few = (0..<3).map { _ in house.ask("base", by: "modest") }
        var current = first
        for _ in 0..<7 {
            house.finish(current)
            current = house.began.last ?? 0
        }
        // Of seven turns the modest had its three.
        #expect(few.allSatisfy { house.began.contains($0) })
        #expect(many.prefix(4).allSatisfy { house.began.contains($0) } && !house.began.contains(many[4]))
    }

    @Test func whoAsksForMoreWorkWaitsForLonger() {
        var house = RouterHouse([Self.backend(concurrency: 1)])
        var current = house.ask("base", by: "third")
        for _ in 0..<10 {
            house.ask("base", by: "long", work: 400)
            house.ask("base", by: "short", work: 100)
        }
        var order: [UInt64] = []
        for _ in 0..<10 {
            house.finish(current)
            current = house.began.last ?? 0
            order.append(current)
        }
        // Even ids are the long ones: a fifth of the turns, four times the work.
        #expect((2...3).contains(order.count { $0 % 2 == 0 }))
    }

    @Test func whatWaitsIsBoundedAndTheGreediestGivesWay() {
        var house = RouterHouse([Self.backend(concurrency: 1)]) {
            $0.mostWaiting = 10
            $0.mostWaitingOfOne = 8
        }
        house.ask("base", by: "greedy")
        let greedy = (0..<9).map { _ in house.ask("base", by: "greedy") }
        guard case .tooManyOfOne(let retryAfter) = house.refused[greedy[8]] else {
            Issue.record("the ninth was not refused")
            return
        }
        #expect(retryAfter >= 1_000_000 && house.refused.count == 1)
        #expect(house.router.refusal(for: "greedy") != nil && house.router.refusal(for: "modest") == nil)
        let modest = (0..<4).map { _ in house.ask("base", by: "modest") }
        #expect(house.router.waiting == 10)
        #expect(modest.allSatisfy { house.refused[$0] == nil })
        guard case .full = house.refused[greedy[7]], case .full = house.refused[greedy[6]] else {
            Issue.record("the greediest did not give way")
            return
        }
    }

    @Test func nobodyWaitsForEver() {
        var house = RouterHouse([Self.backend(concurrency: 1)])
        house.ask("base")
        let waits = house.ask("base")
        house.pass(29_000_000)
        #expect(house.refused[waits] == nil)
        house.pass(1_000_000)
        guard case .tooLate = house.refused[waits] else {
            Issue.record("it still waits")
            return
        }
    }

    @Test func anAdapterThatNobodyCanLoadIsRefusedAndAnotherBackendIsTriedFirst() {
        var house = RouterHouse([Self.backend(), Self.backend("two")])
        let id = house.ask("base", "bad"), other = house.ask("base", "bad")
        house.load(fails: false)
        #expect(house.loads == 2 && house.refused.isEmpty)
        house.load(fails: false)
        #expect(house.refused == [id: .failed, other: .failed])
        #expect(!house.router.figures.contains { !$0.isOpen })
    }

    @Test func adaptersThatWereThereFromTheStartStay() {
        let fixed = AdapterName(base: "base", adapter: "fixed")
        var house = RouterHouse([Self.backend(slots: 1, loads: 0, fixed: [fixed])])
        let id = house.ask("base", "fixed")
        #expect(house.running[id] != nil && house.loads == 0 && !house.cold.contains(id))
        let other = house.ask("base", "other")
        #expect(house.refused[other] == .unknown)
    }

    @Test func aBackendThatMixesNoBasesServesThemInBatches() {
        var house = RouterHouse([Self.backend(slots: 0, concurrency: 3, loads: 0, mixes: false, bases: ["p", "q"])])
        let first = (0..<2).map { _ in house.ask("p") }
        let other = house.ask("q")
        #expect(house.running[other] == nil)
        house.finish(first[0])
        #expect(house.running[other] == nil)
        house.finish(first[1])
        #expect(house.running[other] != nil)
    }
}
