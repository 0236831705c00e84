import EventLog
import TestSupport
import Testing

@testable import Projections

@Suite struct OrderedRunTests {
    private func event(_ position: UInt64) -> LoggedEvent { LoggedEvent(position: position, version: 0, bytes: []) }
    private func run(_ positions: [UInt64], from next: UInt64) -> OrderedRun { OrderedRun(positions.map(event), from: next) }

    @Test func `an unbroken run is applied whole`() {
        let ordered = run([4, 5, 6], from: 4)
        #expect(ordered.run.map(\.position) == [4, 5, 6])
        #expect(ordered.ahead.isEmpty)
        #expect(ordered.hole(after: 4) == nil)
        #expect(ordered.repeats == 0)
    }

    @Test func `what was seen is ignored, and what comes twice counts once`() {
        let ordered = run([1, 2, 3, 3, 4, 3, 9, 9], from: 3)
        #expect(ordered.run.map(\.position) == [3, 4])
        #expect(ordered.ahead.map(\.position) == [9])
        #expect(ordered.repeats == 5)
    }

    @Test func `a hole is named by its first position and length`() throws {
        let ordered = run([12, 10, 16, 11], from: 10)
        #expect(ordered.run.map(\.position) == [10, 11, 12])
        let hole = try #require(ordered.hole(after: 10))
        #expect(hole == (start: 13, count: 3))
        let far = try #require(run([7], from: 2).hole(after: 2))
        #expect(far == (start: 2, count: 5))
    }

    @Test func `nothing delivered is nothing to apply`() {
        #expect(run([], from: 7).run.isEmpty)
        #expect(run([0, 1, 2], from: 7).run.isEmpty)
        #expect(run([0, 1, 2], from: 7).hole(after: 7) == nil)
    }

    @Test func `whatever is delivered, run, rest and repeats are exactly it`() {
        var random = Seed.generator()
        for _ in 0..<2_000 {
            let next = UInt64.random(in: 0...10, using: &random)
            let positions = (0..<Int.random(in: 0...30, using: &random)).map { _ in UInt64.random(in: 0...20, using: &random) }
            let ordered = run(positions, from: next)
            let wanted = Set(positions.filter { $0 >= next })
            let runEnd = (next...40).first { !wanted.contains($0) } ?? next
            #expect(ordered.run.map(\.position) == Array(next..<runEnd), "seed \(random.seed), \(positions) from \(next)")
            #expect(
                ordered.ahead.map(\.position) == wanted.filter { $0 > runEnd }.sorted(), "seed \(random.seed), \(positions) from \(next)")
            #expect(ordered.repeats == positions.count - wanted.count, "seed \(random.seed), \(positions) from \(next)")
        }
    }
}

@Suite struct AppliedPositionTests {
    @Test(arguments: ["0", "7", "9223372036854775807"]) func `a position survives its header`(text: String) throws {
        #expect(try #require(AppliedPosition.parse(text)).format() == text)
    }

    @Test(arguments: [
        "", "-1", "+1", "01", " 1", "1 ", "1.0", "9223372036854775808", "99999999999999999999", "1e3", "٣", "1\u{301}", "abc",
    ])
    func `anything else is no position`(text: String) {
        #expect(AppliedPosition.parse(text) == nil)
    }

    @Test func `rows without an event have no last position`() {
        #expect(AppliedPosition(next: 0) == nil)
        #expect(AppliedPosition(next: 5)?.value == 4)
    }
}
