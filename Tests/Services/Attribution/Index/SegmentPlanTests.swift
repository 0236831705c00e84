import AttributionDomain
import TestSupport
import Testing

@testable import CorpusIndex

@Suite struct SegmentPlanTests {
    private func entries(_ ids: [String], _ tokens: Int = 10) -> [SegmentPlan.Item] { ids.map { SegmentPlan.Item(id: $0, tokens: tokens) } }

    @Test func whatASnapshotAddsIsASegmentUntilItIsLargeEnoughToMerge() {
        let first = SegmentPlan().next(entries((0..<40).map { "a\($0)" }))
        let second = first.next(entries((0..<40).map { "a\($0)" } + ["b"]))
        #expect(second.groups.map(\.count) == [40, 1])
        let third = second.next(entries((0..<40).map { "a\($0)" } + ["b", "c", "d"]))
        #expect(third.groups.map { $0.map(\.id) }.last == ["b", "c", "d"])
        // Items that went leave their segment.
        let fourth = third.next(entries((1..<40).map { "a\($0)" } + ["c", "d", "e"]))
        #expect(fourth.groups.map(\.count) == [39, 3] && fourth.groups.last?.map(\.id) == ["c", "d", "e"])
    }

    @Test func thereAreNeverManySegments() {
        var plan = SegmentPlan()
        var ids: [String] = []
        for number in 0..<300 {
            ids.append("i\(number)")
            plan = plan.next(entries(ids))
            #expect(plan.groups.count <= 9 && Set(plan.groups.joined().map(\.id)) == Set(ids))
        }
    }

    /// A chain of snapshots, each index made from the one before, beside indexes made from all texts.
    @Test func anIndexThatGoesOnFromAnotherEqualsOneThatWasBuiltFromAllTexts() throws {
        var generator = Seed.generator()
        for round in 0..<4 {
            let scratch = ScratchFolder()
            _ = try CorpusIndexBuilder(directory: scratch.path)
            var texts: [String: String] = [:]
            var ids: [String] = []
            var plan = SegmentPlan()
            var (next, earlier): (Int, String?) = (0, nil)
            for step in 0..<7 {
                if step % 3 == 2 { ids.removeAll { _ in Int.random(in: 0..<6, using: &generator) == 0 } }
                for _ in 0..<Int.random(in: step == 0 ? 6...12 : 0...4, using: &generator) {
                    next += 1
                    texts["i\(next)"] = CorpusIndexPropertyTests.text(&generator, vocabulary: 12, longest: 60)
                    ids.append("i\(next)")
                }
                plan = plan.next(ids.map { SegmentPlan.Item(id: $0, tokens: (texts[$0] ?? "").split(separator: " ").count) })
                let groups = plan.groups.map { $0.map(\.id) }
                let known = Set(try earlier.map { try CorpusIndex(directory: $0).items().map(\.id) } ?? [])
                let (chained, whole) = (scratch.path + "/\(round)-\(step)", scratch.path + "/\(round)-\(step)-whole")
                let digest = try CorpusIndexBuilder(directory: chained).build(
                    root: root("\(step)"), origin: root("0"), groups: groups, earlier: earlier
                ) { known.contains($0) ? nil : texts[$0].map { Array($0.utf8) } }
                let other = try CorpusIndexBuilder(directory: whole).build(root: root("\(step)"), origin: root("0"), groups: groups) {
                    texts[$0].map { Array($0.utf8) }
                }
                #expect(digest == other, "seed \(generator.seed)")
                var naive = NaiveCorpus()
                naive.items = ids.map { ($0, NaiveCorpus.words(texts[$0] ?? "")) }
                try CorpusIndexPropertyTests().expectEqual(
                    CorpusIndex(directory: chained), naive,
                    CorpusIndexPropertyTests.query(&generator, ids.compactMap { texts[$0] }, vocabulary: 12))
                earlier = chained
            }
        }
    }

    @Test func anItemThatNeitherTheEarlierIndexNorATextHasIsNamed() throws {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        #expect(throws: CorpusIndexError.unknownItem("b")) {
            try builder.build(root: root("r"), origin: root("r"), groups: [["a", "b"]]) { $0 == "a" ? [120] : nil }
        }
        #expect(throws: CorpusIndexError.duplicateItem("a")) {
            try builder.build(root: root("r"), origin: root("r"), groups: [["a"], ["a"]]) { _ in [120] }
        }
    }

    /// Items that came later, measured against an index of those before, beside all of them measured in their order.
    @Test func whatIsNewInLaterItemsIsTheSameByIndexAsByAllTexts() throws {
        var generator = Seed.generator()
        for _ in 0..<20 {
            let scratch = ScratchFolder()
            var texts = (0..<14).map { _ in CorpusIndexPropertyTests.text(&generator, vocabulary: 5, longest: 50) }
            for _ in 0..<4 { texts.append(texts.randomElement(using: &generator) ?? "") }
            texts.shuffle(using: &generator)
            let built = texts.enumerated().map { item("i\($0.offset)", $0.element) }
            try CorpusIndexBuilder(directory: scratch.path).build(root: root("r"), items: built)
            let ids = built.map(\.id)
            var words = IndexedWords(try CorpusIndex(directory: scratch.path))
            var whole = Novelty()
            let expected = try texts.enumerated().map { whole.add(id: "i\($0.offset)", try WordSequence($0.element)) }
            let split = Int.random(in: 0...texts.count, using: &generator)
            words.number(Array(ids[..<split]))
            var later = Novelty(after: ids[..<split].enumerated().map { expected[$0.offset].head ?? $0.element })
            for number in split..<texts.count {
                let own = try #require(words.words(of: ids[number]))
                let known = words.first(own, length: Novelty.shingle)
                #expect(later.add(id: ids[number], words: own.map(\.high), known: known) == expected[number], "seed \(generator.seed)")
            }
        }
    }
}
