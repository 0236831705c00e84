import AdapterRouter
import TestSupport
import Testing

@Suite struct AdapterRouterPropertyTests {
    /// Whatever happens in whatever order: the house checks each action, every request ends exactly once, and nothing is left over.
    @Test func anyOrderOfEventsKeepsTheBoundsAndLosesNoRequest() {
        var random = Seed.generator()
        for _ in 0..<60 {
            let profiles = (0..<Int.random(in: 1...4, using: &random)).map { number in
                BackendProfile(
                    name: "b\(number)", bases: random.chance(0.7) ? ["p", "q"] : ["p"], slots: Int.random(in: 0...4, using: &random),
                    concurrency: Int.random(in: 1...4, using: &random), loads: Int.random(in: 0...2, using: &random),
                    mixesBases: random.chance(0.7))
            }
            var house = RouterHouse(profiles) {
                $0.mostWaiting = 40
                $0.mostWaitingOfOne = 20
            }
            var asked: Set<UInt64> = []
            var over: Set<UInt64> = []
            for _ in 0..<400 {
                step(&house, &asked, &over, &random)
            }
            // Then all goes well, and whatever waits gets its turn or is refused.
            for backend in house.draining { house.drain(backend, false) }
            for _ in 0..<2_000 where house.router.waiting > 0 || !house.running.isEmpty || !house.loading.isEmpty {
                house.load()
                if let id = house.running.keys.min() {
                    house.finish(id)
                    over.insert(id)
                }
                house.pass(100_000)
            }
            #expect(house.router.waiting == 0 && house.router.runningCount == 0 && house.running.isEmpty)
            #expect(asked == over.union(house.refused.keys), "seed \(random.seed)")
        }
    }

    private func step(
        _ house: inout RouterHouse, _ asked: inout Set<UInt64>, _ over: inout Set<UInt64>, _ random: inout SeededGenerator
    ) {
        house.now += Int64.random(in: 0...50_000, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9:
            let adapter = random.chance(0.8) ? "a\(Int.random(in: 0..<8, using: &random))" : nil
            asked.insert(
                house.ask(
                    random.chance(0.7) ? "p" : "q", adapter, by: "pr\(Int.random(in: 0..<4, using: &random))",
                    work: Int.random(in: 1...500, using: &random)))
        case 9..<14:
            guard let id = house.running.keys.sorted().randomElement(using: &random) else { return }
            let outcomes: [RouterOutcome] = [.served, .served, .served, .failed, .broke, .ended]
            let outcome = outcomes.randomElement(using: &random) ?? .served
            house.finish(id, outcome)
            if outcome != .failed { over.insert(id) }
        case 14..<17: house.load()
        case 17: house.load(fails: random.chance(0.5))
        case 18:
            house.drain(Int.random(in: 0..<house.profiles.count, using: &random), random.chance(0.3))
        default:
            if random.chance(0.3), let id = asked.subtracting(over).sorted().randomElement(using: &random), house.running[id] == nil,
                house.refused[id] == nil
            {
                house.cancel(id)
                over.insert(id)
            } else {
                house.pass(Int64.random(in: 0...2_000_000, using: &random))
            }
        }
    }

    @Test func theSameEventsGiveTheSameActions() {
        let seed = Seed.generator().seed
        var runs: [[UInt64]] = []
        for _ in 0..<2 {
            var random = SeededGenerator(seed: seed)
            var house = RouterHouse((0..<3).map { BackendProfile(name: "b\($0)", bases: ["p", "q"], slots: 3, concurrency: 2) })
            var asked: Set<UInt64> = []
            var over: Set<UInt64> = []
            for _ in 0..<500 { step(&house, &asked, &over, &random) }
            runs.append(house.began)
        }
        #expect(runs[0] == runs[1] && !runs[0].isEmpty)
    }
}
