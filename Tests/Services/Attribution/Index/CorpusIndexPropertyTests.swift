import AttributionDomain
import TestSupport
import Testing

@testable import CorpusIndex

/// An index gives what looking everywhere gives, whatever it went through.
@Suite struct CorpusIndexPropertyTests {
    /// Texts of few words repeat themselves a lot; texts of many rarely do.
    static func text(_ generator: inout some RandomNumberGenerator, vocabulary: Int, longest: Int) -> String {
        let separators = [" ", " ", " ", "\n", "  ", ", ", "-", " 文字", ""]
        var text = ""
        for _ in 0..<Int.random(in: 0...longest, using: &generator) {
            text += "w\(Int.random(in: 0..<vocabulary, using: &generator))" + (separators.randomElement(using: &generator) ?? " ")
        }
        return text
    }

    static func query(_ generator: inout some RandomNumberGenerator, _ corpus: [String], vocabulary: Int) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...4, using: &generator) {
            if Bool.random(using: &generator), let source = corpus.randomElement(using: &generator), !source.isEmpty {
                let words = source.split(separator: " ")
                let start = Int.random(in: 0...words.count, using: &generator)
                text += words[start...].prefix(Int.random(in: 0...20, using: &generator)).joined(separator: " ") + " "
            } else {
                text += Self.text(&generator, vocabulary: vocabulary * 2, longest: 8)
            }
        }
        return text
    }

    func expectEqual(_ index: CorpusIndex, _ naive: NaiveCorpus, _ text: String) throws {
        let sequence = try WordSequence(text)
        let words = NaiveCorpus.words(text)
        #expect(sequence.count == words.count)
        #expect(index.matchLengths(sequence) == naive.matchLengths(words))
        for minimum in [1, 3] {
            for limit in [3, 10_000] {
                #expect(
                    index.maximalSpans(of: sequence, minimumTokens: minimum, occurrenceLimit: limit)
                        == naive.maximalSpans(words, minimumTokens: minimum, occurrenceLimit: limit))
            }
        }
        let piece = String(text.prefix(12))
        let wanted = naive.occurrences(NaiveCorpus.words(piece)[...])
        let short = try WordSequence(piece)
        #expect(index.count(short) == wanted.count)
        #expect(
            index.locate(short)
                == wanted.map { Occurrence(item: $0.item, word: $0.word) }.sorted { ($0.item, $0.word) < ($1.item, $1.word) })
    }

    @Test(arguments: [2, 12, 300, 70_000])
    func anIndexEqualsALookEverywhere(vocabulary: Int) throws {
        var generator = Seed.generator()
        for round in 0..<3 {
            let scratch = ScratchFolder()
            let builder = try CorpusIndexBuilder(directory: scratch.path)
            var naive = NaiveCorpus()
            var texts: [String: String] = [:]
            var next = 0
            func fresh(_ count: Int) -> [CorpusItem] {
                (0..<count).map { _ in
                    next += 1
                    let text = Self.text(&generator, vocabulary: vocabulary, longest: 60)
                    texts["i\(next)"] = text
                    naive.items.append(("i\(next)", NaiveCorpus.words(text)))
                    return item("i\(next)", text)
                }
            }
            try builder.build(root: root("\(round)"), items: fresh(Int.random(in: 0...12, using: &generator)))
            for step in 0..<6 {
                switch Int.random(in: 0..<5, using: &generator) {
                case 0, 1:
                    try builder.update(root: root("\(round).\(step)"), adding: fresh(Int.random(in: 0...5, using: &generator)))
                case 2:
                    let gone = naive.items.map(\.id).filter { _ in Int.random(in: 0..<3, using: &generator) == 0 }
                    naive.items.removeAll { gone.contains($0.id) }
                    for id in gone { texts[id] = nil }
                    try builder.update(root: root("\(round).\(step)"), removing: gone)
                case 3: try builder.merge()
                default: try builder.purge()
                }
                let index = try CorpusIndex(directory: scratch.path)
                #expect(Set(index.items().map(\.id)) == Set(naive.items.map(\.id)))
                for _ in 0..<4 {
                    try expectEqual(index, naive, Self.query(&generator, texts.values.sorted(), vocabulary: vocabulary))
                }
            }
        }
    }

    @Test func tokenNumbersOfEveryWidthAreFound() throws {
        var generator = Seed.generator()
        for vocabulary in [3, 250, 254, 255, 300, 65_534, 65_535, 100_000, 20_000_000] {
            let scratch = ScratchFolder()
            _ = try CorpusIndexBuilder(directory: scratch.path)
            let step = max(1, vocabulary / 5)
            let items = (0..<5).map { number in
                (
                    id: "i\(number)",
                    tokens: (0..<40).map { _ in UInt32(min(vocabulary - 1, Int.random(in: 0...5, using: &generator) * step)) }
                )
            }
            let path = scratch.path + "/tokens"
            try TokenIndex.build(items: items, vocabulary: vocabulary, to: path)
            let index = try TokenIndex(path: path)
            for length in 1...4 {
                for item in items {
                    let query = Array(item.tokens[3..<3 + length])
                    let wanted = items.reduce(0) { sum, other in
                        sum + (0...40 - length).count { Array(other.tokens[$0..<$0 + length]) == query }
                    }
                    #expect(index.count(query) == wanted)
                }
            }
            #expect(index.count([UInt32(vocabulary)]) == 0)
            #expect(index.count([UInt32.max, 0]) == 0)
            #expect(index.count([]) == 0)
        }
    }

    @Test func theSameItemsInTheSameOrderGiveTheSameFiles() throws {
        var generator = Seed.generator()
        let items = (0..<20).map { item("i\($0)", Self.text(&generator, vocabulary: 40, longest: 50)) }
        let (a, b) = (ScratchFolder(), ScratchFolder())
        let first = try CorpusIndexBuilder(directory: a.path).build(root: root("r"), items: items)
        let second = try CorpusIndexBuilder(directory: b.path).build(root: root("r"), items: items)
        #expect(first == second)
        #expect(try CorpusIndex(directory: a.path).snapshotRoot == root("r"))
    }

    @Test func mergingKeepsFewSegments() throws {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        try builder.build(root: root("0"), items: [CorpusItem]())
        for number in 0..<40 {
            try builder.update(root: root("\(number)"), adding: [item("i\(number)", "one two three four five \(number)")])
            while try builder.merge() {}
        }
        let index = try CorpusIndex(directory: scratch.path)
        #expect(index.segments <= 7)
        #expect(index.count(try WordSequence("two three")) == 40)
    }
}
