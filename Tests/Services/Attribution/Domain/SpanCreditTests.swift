import AttributionDomain
import Testing

@Suite struct SpanCreditTests {
    let items = [
        "a1": ItemFacts(owner: "ann", position: 1, tokens: 500), "a2": ItemFacts(owner: "ann", position: 2, tokens: 500),
        "b1": ItemFacts(owner: "bob", position: 3, tokens: 500), "c1": ItemFacts(owner: "cy", position: 4, head: "b1", tokens: 500),
    ]

    @Test func eachWordIsPaidToTheLongestSpanThatCoversIt() throws {
        let result = try spansOnly([span(0, 20, ["a1"]), span(10, 30, ["b1"])], items)
        #expect(result.byOwner == ["ann": 250_000_000, "bob": 750_000_000])
        #expect(result.evidence.spans?.map(\.paidTokens) == [10, 30])
        #expect(result.confidence == 400_000_000)
    }

    @Test func spansBelowTheMinimumPayNothing() throws {
        let result = try spansOnly([span(0, 7, ["a1"]), span(10, 8, ["b1"])], items)
        #expect(result.byOwner == ["bob": 1_000_000_000])
    }

    @Test func tiesSplitByOwnerAndNotByDocument() throws {
        let result = try spansOnly([span(0, 20, ["a1", "a2", "b1"])], items)
        #expect(result.byOwner == ["ann": 500_000_000, "bob": 500_000_000])
    }

    @Test func aNearDuplicateEarnsForTheHeadAndCountsOnce() throws {
        let result = try spansOnly([span(0, 20, ["b1", "c1"])], items)
        #expect(result.byOwner == ["bob": 1_000_000_000])
        #expect(result.evidence.spans?.first?.documents == 1)
        // When the head is withdrawn, its copy stands on its own.
        var rest = items
        rest["b1"] = nil
        #expect(try spansOnly([span(0, 20, ["c1"])], rest).byOwner == ["cy": 1_000_000_000])
    }

    @Test func whatManyDocumentsHaveIsDiscounted() throws {
        var many = items
        for number in 0..<30 { many["m\(number)"] = ItemFacts(owner: "mo", position: 10 + number, tokens: 100) }
        let common = span(0, 10, (0..<30).map { "m\($0)" })
        let result = try spansOnly([common, span(20, 10, ["b1"])], many)
        // A tenth of ten words against ten words.
        #expect(result.byOwner == ["mo": 90_909_091, "bob": 909_090_909])
    }

    @Test func whatOccursTooOftenToLookAtPaysNothing() throws {
        let result = try spansOnly([SpanMatch(start: 0, length: 50, occurrences: 10_001, items: []), span(60, 10, ["b1"])], items)
        #expect(result.byOwner == ["bob": 1_000_000_000])
    }

    @Test func creditIsCappedByTheOwnersUniqueTokens() throws {
        var few = items
        few["a1"] = ItemFacts(owner: "small", position: 1, tokens: 500, uniqueTokens: 5)
        let result = try spansOnly([span(0, 40, ["a1"]), span(50, 15, ["b1"])], few)
        #expect(result.byOwner == ["small": 250_000_000, "bob": 750_000_000])
    }

    @Test func whatThePromptSaidIsNobodys() throws {
        let result = try spansOnly([span(0, 40, ["a1"]), span(50, 15, ["b1"])], items, prompt: "please say " + words(0..<40))
        #expect(result.byOwner == ["bob": 1_000_000_000])
        #expect(result.evidence.echoedTokens == 40)
        let all = try spansOnly([span(0, 40, ["a1"])], items, prompt: words(0..<100))
        #expect(all.isFallback)
        #expect(all.confidence == 0)
    }

    @Test func runsOfThePromptShorterThanTheEchoStayTheModels() throws {
        let result = try spansOnly([span(0, 40, ["a1"])], items, prompt: "w0 w1 w2 and w7 w8 w9")
        #expect(result.evidence.echoedTokens == 0)
    }

    @Test func withNothingFoundTheFallbackPaysByAdmittedTokens() throws {
        let result = try spansOnly([], items)
        #expect(result.isFallback)
        // cy's item is a near-duplicate of bob's and was not admitted as its own.
        #expect(result.byOwner == ["ann": 666_666_667, "bob": 333_333_333])
    }

    @Test func anEmptyAnswerAndAnEmptySnapshotGetAnAnswer() throws {
        #expect(try spansOnly([], items, answer: "").isFallback)
        #expect(throws: AttributionError.nobodyToCredit) { try spansOnly([], [:]) }
    }

    @Test func anItemThatIsNotPaidAnyMoreIsLeftOut() throws {
        let result = try spansOnly([span(0, 20, ["a1", "gone"]), span(30, 20, ["gone"])], items)
        #expect(result.byOwner == ["ann": 1_000_000_000])
    }
}
