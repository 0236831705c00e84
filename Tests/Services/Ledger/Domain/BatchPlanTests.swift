import Crypto
import EventLog
import Events
import LedgerDomain
import TestSupport
import Testing

@testable import LedgerService

@Suite struct BatchPlanTests {
    private func prepared(_ request: AppendRequest) throws -> PreparedAppend {
        try PreparedAppend(request, writer: .billing, now: AppendGenerator.now)
    }

    private func append(_ command: String, _ streams: [String], expected: [String: ExpectedVersion] = [:]) throws -> PreparedAppend {
        let names = try expected.map { (try #require(StreamName($0.key)), $0.value) }
        return try prepared(
            AppendRequest(
                events: try Sample.command(command, streams: streams, time: AppendGenerator.now),
                expected: Dictionary(uniqueKeysWithValues: names)))
    }

    @Test func `rows are dense from the log's size on, and carry the command on the first of each append`() throws {
        var plan = BatchPlan(size: 1_000)
        let (first, second) = (try append("c1", ["account/a", "account/b", "account/a"]), try append("c2", ["account/b"]))
        plan.setHead(7, of: try #require(StreamName("account/a")).key)
        guard case .accepted(let one) = plan.decide(first), case .accepted(let two) = plan.decide(second) else {
            Issue.record("not taken")
            return
        }
        #expect(one.position == 1_000 && one.end == 1_003 && two.position == 1_003)
        #expect(one.entries.map(\.version) == [7, 0, 8] && two.entries.map(\.version) == [1])
        #expect(plan.rows.map(\.position) == [1_000, 1_001, 1_002, 1_003])
        #expect(plan.rows.map(\.version) == [7, 0, 8, 1])
        #expect(plan.rows.map(\.command) == [first.command, nil, nil, second.command])
        #expect(plan.rows.map(\.leaf) == (first.entries + second.entries).map { Merkle.leaf($0.bytes) })
        #expect(plan.size == 1_004)
    }

    @Test func `a repeat within the batch points at its earlier self, and a refused one is decided anew`() throws {
        var plan = BatchPlan(size: 0)
        let wanting = try append("c1", ["account/a"], expected: ["account/b": .exact(1)])
        guard case .refused(let error) = plan.decide(wanting) else {
            Issue.record("taken")
            return
        }
        #expect(error == .wrongVersion(stream: try #require(StreamName("account/b")), expected: .exact(1), actual: 0))
        guard case .accepted = plan.decide(try append("c2", ["account/b"])), case .accepted(let answer) = plan.decide(wanting),
            case .repeats(let earlier) = plan.decide(wanting)
        else {
            Issue.record("not taken")
            return
        }
        #expect(answer.position == 1)
        #expect(earlier == 2, "the third of the batch")
        #expect(plan.size == 2)
    }

    @Test func `a condition is about what stands before the append, not about its own events`() throws {
        var plan = BatchPlan(size: 0)
        guard case .accepted = plan.decide(try append("c1", ["account/a", "account/a"], expected: ["account/a": .none])),
            case .accepted = plan.decide(try append("c2", ["account/a"], expected: ["account/a": .exact(2)])),
            case .refused = plan.decide(try append("c3", ["account/a"], expected: ["account/a": .exact(2)])),
            case .accepted = plan.decide(try append("c4", ["account/a"], expected: ["account/a": .any]))
        else {
            Issue.record("decided otherwise")
            return
        }
        #expect(plan.size == 4)
    }

    @Test func `any run of appends is decided as the naive log decides it`() throws {
        for round in 0..<60 {
            var generator = AppendGenerator(Seed.generator("BatchPlan \(round)"))
            var naive = NaiveLog()
            var plan = BatchPlan(size: 0)
            var outcomes: [Result<Appended, LogError>] = []
            let appends = try (0..<40).map { _ in try generator.next() }
            for append in appends {
                switch plan.decide(append) {
                case .accepted(let appended): outcomes.append(.success(appended))
                case .refused(let error): outcomes.append(.failure(error))
                case .repeats(let earlier):
                    let first = outcomes[earlier].flatMap { answer in
                        Result { () throws(LogError) in try FirstAnswer(appends[earlier], appended: answer).answer(to: append) }
                    }
                    outcomes.append(first)
                }
            }
            #expect(outcomes == appends.map { naive.append($0) }, "seed \(generator.random.seed)")
            #expect(plan.rows.map(\.bytes) == naive.events.map(\.bytes))
            #expect(plan.rows.map(\.version) == naive.events.map(\.version))
            #expect(plan.size == UInt64(naive.events.count))
        }
    }

    @Test func `an append of a run never rests on another's event in the place of one that was refused`() throws {
        var plan = BatchPlan(size: 0)
        func member(_ id: String, _ version: UInt64, run: UInt64?) throws -> PreparedAppend {
            var append = try append(id, ["account/a"], expected: ["account/a": .exact(version)])
            append.run = run.map { PreparedAppend.Run(id: $0, broken: []) }
            return append
        }
        // Two writers who have seen the same: one event of each in turn.
        guard case .accepted = plan.decide(try member("one-0", 0, run: 1)) else { return #expect(Bool(false)) }
        guard case .refused = plan.decide(try member("two-0", 0, run: 2)) else { return #expect(Bool(false)) }
        guard case .refused = plan.decide(try member("two-1", 1, run: 2)) else { return #expect(Bool(false), "it rests on two-0") }
        guard case .accepted = plan.decide(try member("one-1", 1, run: 1)) else { return #expect(Bool(false)) }
        guard case .refused = plan.decide(try member("two-2", 2, run: 2)) else { return #expect(Bool(false)) }
        guard case .accepted = plan.decide(try member("three", 2, run: 3)) else { return #expect(Bool(false)) }
        // A command that is there already does not make what the next one of its run expects either.
        guard case .repeats = plan.decide(try member("three", 2, run: 4)) else { return #expect(Bool(false)) }
        guard case .refused = plan.decide(try member("four", 3, run: 4)) else { return #expect(Bool(false)) }
        #expect(plan.rows.count == 3)
    }
}
