import AttributionDomain
import Testing
import TestSupport

@testable import AttributionService
@testable import CorpusIndex

@Suite("The owner cap and several indexes") struct ComputingTests {
    @Test func whatIsAboveTheCapGoesByAdmittedTokensAndTheUnverifiedCountAsOne() throws {
        func cap(_ shares: [String: Int], _ cap: Int, _ admitted: [String: Int], _ unverified: Set<String> = []) throws -> [String: Int] {
            try OwnerCap.apply(
                shares.map { OwnerShare(owner: $0.key, share: $0.value) }, cap: cap, admitted: admitted, unverified: unverified)
        }
        let half = 500_000_000
        // eve's word in the answer earns her nothing of what ann gives up: bob has the tokens.
        #expect(
            try cap(["ann": 990_000_000, "eve": 10_000_000], half, ["ann": 10, "bob": 980, "eve": 20])
                == ["ann": half, "bob": 480_200_000, "eve": 19_800_000])
        // Nobody else is there: it stays.
        #expect(try cap(["ann": 1_000_000_000], half, ["ann": 10]) == ["ann": 1_000_000_000])
        // Two names of one unverified crowd get what one name would.
        let crowd = try cap(
            ["e1": 400_000_000, "e2": 400_000_000, "ann": 200_000_000], half, ["ann": 10, "e1": 5, "e2": 5], ["e1", "e2"])
        #expect(crowd == ["e1": 250_000_000, "e2": 250_000_000, "ann": half])
    }

    @Test func cappedSharesAddUpAndDoNotDependOnTheOrder() throws {
        var random = Seed.generator()
        for _ in 0..<200 {
            let owners = (0..<Int.random(in: 1...12, using: &random)).map { "o\($0)" }
            let weights = owners.map { (name: $0, weight: UInt128(Int.random(in: 0...1_000, using: &random))) }
            guard let parts = try Apportionment.divide(weights) else { continue }
            var admitted: [String: Int] = [:]
            for owner in owners + ["p", "q"] { admitted[owner] = Int.random(in: 0...500, using: &random) }
            let unverified = Set(owners.filter { _ in Bool.random(using: &random) })
            let cap = Int.random(in: 1...1_000_000_000, using: &random)
            let shares = zip(owners, parts).map { OwnerShare(owner: $0, share: $1) }
            let capped = try OwnerCap.apply(shares, cap: cap, admitted: admitted, unverified: unverified)
            #expect(capped.values.reduce(0, +) == 1_000_000_000 && capped.values.allSatisfy { $0 >= 0 }, "seed \(random.seed)")
            #expect(
                try OwnerCap.apply(shares.shuffled(using: &random), cap: cap, admitted: admitted, unverified: unverified) == capped,
                "seed \(random.seed)")
        }
    }

    @Test func severalIndexesFindWhatOneOverAllItemsFinds() throws {
        var random = Seed.generator()
        let scratch = ScratchFolder()
        _ = try CorpusIndexBuilder(directory: scratch.path)
        for round in 0..<30 {
            func text(_ count: Int) -> String {
                (0..<count).map { _ in "w\(Int.random(in: 0..<3, using: &random))" }.joined(separator: " ")
            }
            let items = (0..<9).map { item("i\($0)", text(Int.random(in: 0...40, using: &random))) }
            func index(_ name: String, _ items: [CorpusItem]) throws -> CorpusIndex {
                let path = scratch.path + "/\(round)-\(name)"
                try CorpusIndexBuilder(directory: path).build(root: root(name), items: items)
                return try CorpusIndex(directory: path)
            }
            let all = try index("all", items)
            let parts = try (0..<3).map { part in try index("p\(part)", Array(items[part * 3..<part * 3 + 3])) }
            let set = try #require(IndexSet(parts))
            let answer = try WordSequence(text(50))
            for (minimum, limit) in [(1, 10_000), (3, 10_000), (3, 2)] {
                #expect(
                    set.maximalSpans(of: answer, minimumTokens: minimum, occurrenceLimit: limit)
                        == all.maximalSpans(of: answer, minimumTokens: minimum, occurrenceLimit: limit), "seed \(random.seed)")
            }
        }
        #expect(IndexSet([]) == nil)
    }
}
