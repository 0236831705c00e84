import AttributionDomain
import TestSupport
import Testing

@testable import CorpusIndex

@Suite("Who has words from whom") struct CopiesTests {
    private func words(_ range: Range<Int>, _ name: String = "w") -> String { range.map { "\(name)\($0)" }.joined(separator: " ") }

    private func copies(
        _ items: [(String, String)], of text: String, minimum: Int = 32, together: Int = 99
    ) throws -> Set<String> {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        let all = items.map { item($0.0, $0.1) }
        try builder.build(root: root("0"), items: Array(all.prefix(together)))
        for (number, one) in all.dropFirst(together).enumerated() { try builder.update(root: root("\(number + 1)"), adding: [one]) }
        let index = try CorpusIndex(directory: scratch.path)
        let sequence = try WordSequence(text)
        guard let span = index.maximalSpans(of: sequence, minimumTokens: 8, occurrenceLimit: 10_000).first else { return [] }
        let order = items.map(\.0).filter { span.items.contains($0) }
        return index.copies(of: span.words, in: sequence, among: order, minimum: minimum)
    }

    @Test(arguments: [1, 2, 99])
    func aCopyWithOtherWordsAroundItIsOneAndACommonPhraseIsNone(together: Int) throws {
        let phrase = words(100..<112)
        let items = [
            ("own", words(0..<200)), ("padded", words(0..<70, "p") + " " + words(20..<180) + " " + words(0..<70, "q")),
            ("phrase", words(0..<60, "x") + " " + phrase + " " + words(0..<60, "y")), ("excerpt", words(95..<130)),
        ]
        #expect(try copies(items, of: phrase, together: together) == ["padded", "excerpt"])
        // Who came first has it from nobody.
        #expect(try copies(items.reversed(), of: phrase, together: together) == ["own", "padded"])
    }

    @Test func wordsThatWereChangedHereAndThereHideNoCopy() throws {
        // Every thirtieth word is another, is left out, or has another beside it.
        for change in 0..<3 {
            let changed = (0..<200).flatMap { place -> [String] in
                guard place % 30 == 15 else { return ["w\(place)"] }
                return [["z\(place)"], [], ["w\(place)", "z\(place)"]][change]
            }
            let items = [("own", words(0..<200)), ("changed", changed.joined(separator: " "))]
            #expect(try copies(items, of: words(48..<60)) == ["changed"], "\(change)")
        }
        // Where one in every three is another it is another text, though a quote stands in the same place.
        let torn = (0..<200).map { $0 % 3 == 0 ? "u\($0)" : "w\($0)" }
        let quote = words(0..<20, "k")
        let items = [
            ("own", words(0..<90) + " " + quote + " " + words(90..<200)),
            ("torn", (torn[..<90] + [quote] + torn[90...]).joined(separator: " ")),
        ]
        #expect(try copies(items, of: quote).isEmpty)
    }

    @Test func aShortItemIsCopiedByWhoHasAllOfIt() throws {
        let short = words(0..<12)
        let items = [("short", short), ("long", words(0..<40, "x") + " " + short + " " + words(0..<40, "y"))]
        #expect(try copies(items, of: short) == ["long"])
        // The other way round the short one has a phrase of the long one, and no more: all that it has is not all of that.
        #expect(try copies(items.reversed(), of: short).isEmpty)
    }

    @Test func theAnswerIsTheSameHoweverItemsLieInSegments() throws {
        var random = Seed.generator()
        for _ in 0..<20 {
            let source = (0..<120).map { _ in "w\(Int.random(in: 0..<40, using: &random))" }
            let items = (0..<5).map { number -> (String, String) in
                let start = Int.random(in: 0..<60, using: &random)
                let own = (0..<Int.random(in: 0...20, using: &random)).map { _ in "o\(number)x\(Int.random(in: 0..<9, using: &random))" }
                return ("i\(number)", (own + source[start..<start + Int.random(in: 12...50, using: &random)] + own).joined(separator: " "))
            }
            let text = source[50..<70].joined(separator: " ")
            let whole = try copies(items, of: text, minimum: 20)
            for together in [1, 3] {
                #expect(try copies(items, of: text, minimum: 20, together: together) == whole, "seed \(random.seed)")
            }
        }
    }
}
