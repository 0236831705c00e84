import AdapterRouter
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
