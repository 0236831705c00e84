import AdapterRouter
import TestSupport
import Testing

/// Nothing keeps a request out for ever: no base that is always busy, no stream that never ends, no claim of who has gone.
@Suite struct RouterTurnTests {
    private static func backend(
        _ name: String = "one", slots: Int = 2, concurrency: Int = 2, loads: Int = 2, mixes: Bool = true,
        bases: Set<String> = ["base", "other"]
    ) -> BackendProfile {
        BackendProfile(name: name, bases: bases, slots: slots, concurrency: concurrency, loads: loads, mixesBases: mixes)
    }

    @Test func aBaseThatIsAlwaysBusyLeavesATurnToAnother() {
        var house = RouterHouse([Self.backend(slots: 0, loads: 0, mixes: false)])
        var busy = [house.ask("base"), house.ask("base")]
        let waiting = house.ask("other")
        var rounds = 0
        while house.running[waiting] == nil, rounds < 50 {
            rounds += 1
            // Before one ends the next has come: the base is never gone.
            busy.append(house.ask("base"))
            house.pass(100_000)
            if let first = busy.first(where: { house.running[$0] != nil }) { house.finish(first) }
        }
        #expect(house.running[waiting] != nil && rounds < 20)
        // And then the others have theirs again.
        house.finish(waiting)
        #expect(busy.contains { house.running[$0] != nil })
    }

    /// However many wait for one base, or adapter, that has no place: what has one begins.
    @Test func whatHasAPlaceBeginsBehindAnyNumberThatHaveNone() {
        for adapter in [nil, "a"] {
            var house = RouterHouse([
                Self.backend("one", slots: 1, concurrency: 1, bases: ["base"]), Self.backend("two", concurrency: 4, bases: ["other"]),
            ])
            let first = house.ask("base", adapter)
            house.load()
            #expect(house.running[first] != nil)
            let waiting = (0..<256).map { _ in house.ask("base", adapter) }
            // Its second request stands behind all those in the order.
            let own = house.ask("other", by: "bob", work: 300)
            let next = house.ask("other", by: "bob")
            #expect(house.running[own] != nil && house.running[next] != nil)
            #expect(!waiting.contains { house.running[$0] != nil } && house.refused.isEmpty)
        }
    }

    /// Nor does the order keep the turn from a base where bases do not mix.
    @Test func aTurnIsTakenBehindAnyNumberOfABusyBase() {
        var house = RouterHouse([Self.backend(slots: 0, concurrency: 1, loads: 0, mixes: false)])
        var busy = (0..<400).map { house.ask("base", by: "p\($0 % 2)") }
        let own = house.ask("other", by: "bob", work: 1_000)
        let waiting = house.ask("other", by: "bob")
        house.pass(600_000)
        for _ in 0..<4 {
            if let first = busy.first(where: { house.running[$0] != nil }) {
                house.finish(first)
                busy.removeAll { $0 == first }
            }
            if house.running[own] != nil { house.finish(own) }
            house.pass(600_000)
        }
        #expect(house.began.contains(own) && house.began.contains(waiting))
    }

    /// As long as fewer things are wanted than are looked at, nothing waits that could begin.
    @Test func nothingWaitsBesideAFreePlace() {
        var random = Seed.generator()
        let bases = ["a", "b", "c", "d"]
        for _ in 0..<20 {
            let places = bases.map { _ in Int.random(in: 1...3, using: &random) }
            var house = RouterHouse(
                zip(bases, places).map { Self.backend("of-\($0)", slots: 0, concurrency: $1, loads: 0, bases: [$0]) }
            ) {
                $0.lookahead = 6
                $0.mostWaiting = 400
                $0.mostWaitingOfOne = 100
            }
            var asked: [(id: UInt64, base: String)] = []
            for _ in 0..<300 {
                if random.chance(0.7) {
                    let base = bases[random.chance(0.7) ? 0 : Int.random(in: 0..<4, using: &random)]
                    let principal = "p\(Int.random(in: 0..<4, using: &random))"
                    asked.append((house.ask(base, by: principal, work: Int.random(in: 1...500, using: &random)), base))
                } else if let ended = house.running.keys.sorted().randomElement(using: &random) {
                    house.finish(ended)
                }
                for (base, count) in zip(bases, places) {
                    let busy = house.running.values.count { $0.name.base == base }
                    let waits = asked.contains { $0.base == base && !house.began.contains($0.id) && house.refused[$0.id] == nil }
                    #expect(busy == count || !waits, "\(base), seed \(random.seed)")
                }
            }
        }
    }

    /// A load that hangs, or is where nothing new goes, keeps an adapter from nobody.
    @Test func anAdapterThatDoesNotComeIsBroughtInElsewhere() {
        for drains in [true, false] {
            var house = RouterHouse([Self.backend("one"), Self.backend("two")])
            let id = house.ask("base", "a")
            #expect(house.loading.map(\.backend) == [0])
            house.pass(1_500_000)
            #expect(house.loads == 1, "it still comes")
            if drains { house.drain(0) } else { house.pass(1_000_000) }
            #expect(house.loading.map(\.backend) == [0, 1])
            house.load(fails: true)
            house.load()
            #expect(house.running[id]?.backend == 1 && house.refused.isEmpty)
        }
    }

    @Test func aBackendThatIsBackIsTriedWhileAnOldStreamRunsThere() {
        var house = RouterHouse([
            Self.backend("one", slots: 0, concurrency: 8, loads: 0), Self.backend("two", slots: 0, concurrency: 1, loads: 0),
        ])
        let old = house.ask("base")
        #expect(house.running[old]?.backend == 0)
        let full = house.ask("base")
        #expect(house.running[full]?.backend == 1)
        // Three failures close the first; the stream that began before goes on.
        for _ in 0..<3 {
            let id = house.ask("base")
            guard house.running[id]?.backend == 0 else { continue }
            house.finish(id, .failed)
            house.cancel(id)
        }
        let probe = house.ask("base")
        #expect(house.running[probe] == nil)
        house.pass(2_000_000)
        #expect(house.running[probe]?.backend == 0)
        // One, and no more until it has told.
        let next = house.ask("base")
        #expect(house.running[next] == nil)
        house.hear(probe)
        #expect(house.running[next]?.backend == 0)
    }

    @Test func anAdapterThatIsLeavingOneBackendKeepsNoOtherFull() {
        var house = RouterHouse([Self.backend("one", slots: 1, concurrency: 8), Self.backend("two", slots: 1, concurrency: 8)])
        let (first, second) = (house.ask("base", "a"), house.ask("base", "b"))
        house.load()
        house.load()
        #expect(house.running[first] != nil && house.running[second] != nil)
        let (third, fourth) = (house.ask("base", "c"), house.ask("base", "d"))
        house.pass(600_000)
        house.pass(600_000)
        // Both are to leave, one for each that waits: whichever ends makes room.
        let more = (house.ask("base", "a"), house.ask("base", "b"))
        #expect(house.running[more.0] == nil && house.running[more.1] == nil)
        house.finish(second)
        house.load()
        #expect(house.running[third] != nil || house.running[fourth] != nil)
    }
}
