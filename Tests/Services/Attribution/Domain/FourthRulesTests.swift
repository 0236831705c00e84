import AttributionDomain
import Crypto
import Testing

@Suite("What the rules 4 pay") struct FourthRulesTests {
    private func influence(
        _ scores: [(String, Int64)], _ facts: [String: ItemFacts], answer: String = "an answer of six words here", prompt: String = "",
        rules: Int = 4
    ) throws -> AttributionResult {
        let checkpoint = InfluenceScores(rows: .zero, query: .zero, items: scores.map(\.0), scores: scores.map(\.1), exponent: -20)
        return try Attribution.compute(
            answer: WordSequence(answer), prompt: WordSequence(prompt), index: nil,
            influence: InfluenceInput(checkpoints: [checkpoint], canaries: Canary.names(among: scores.map(\.0))),
            items: SnapshotItems(facts), policy: policy([.influence: 1_000_000_000]) { $0.rules = rules })
    }

    private let facts = [
        "a": ItemFacts(owner: "ann", position: 1, tokens: 100), "b": ItemFacts(owner: "bob", position: 2, tokens: 300),
        "c": ItemFacts(owner: "bob", position: 3, head: "a", tokens: 100),
        "d": ItemFacts(owner: "eve", position: 4, head: "a", tokens: 100),
    ]

    @Test func whatThePromptSaidIsNobodysByInfluenceEither() throws {
        let text = words(0..<40)
        let scores: [(String, Int64)] = [("a", 100)]
        #expect(try influence(scores, facts, answer: text).confidence == 500_000_000)
        let half = try influence(scores, facts, answer: text, prompt: words(0..<20))
        #expect(half.confidence == 250_000_000 && half.byOwner == ["ann": 1_000_000_000])
        // Nothing is left to be known of an answer that says no more than its prompt: the fallback pays.
        let all = try influence(scores, facts, answer: text, prompt: "say " + text)
        #expect(all.isFallback && all.confidence == 0 && all.byOwner == ["ann": 250_000_000, "bob": 750_000_000])
        let old = try influence(scores, facts, answer: text, prompt: "say " + text, rules: 3)
        #expect(!old.isFallback && old.confidence == 500_000_000)
        // The text may be gone: then nobody knows, and the row says what it says.
        #expect(try influence(scores, facts, answer: "").confidence == 500_000_000)
        for result in [half, all, old] {
            let again = try AttributionEvidence(json: result.evidence.bytes())
            var own = policy([.influence: 1_000_000_000])
            own.rules = again.rules
            #expect(try Attribution.recompute(evidence: again, policy: own) == result)
        }
    }

    @Test func aClusterCountsOneItemWholeAndTheOthersByThreeQuarters() throws {
        let scores: [(String, Int64)] = [("a", 100), ("c", 100), ("d", 100), ("b", 250)]
        // 100 + 75 + 75 of ann's cluster beside bob's 250.
        let now = try influence(scores, facts)
        #expect(now.byOwner == ["ann": 500_000_000, "bob": 500_000_000])
        #expect(now.evidence.influence?.checkpoints.first?.owners.map(\.sum) == [64_000, 64_000])
        #expect(now.evidence.influence?.exponent == -28)
        let old = try influence(scores, facts, rules: 3)
        #expect(old.evidence.influence?.checkpoints.first?.owners.map(\.sum) == [300, 250] && old.evidence.influence?.exponent == -20)
        // The head has no row of its own: one of the copies counts whole.
        #expect(try influence([("c", 100), ("d", 100), ("b", 175)], facts).byOwner == ["ann": 500_000_000, "bob": 500_000_000])
    }

    @Test func ofAnItemThatRepeatsOthersWhatIsNewCounts() throws {
        var some = facts
        some["e"] = ItemFacts(owner: "eve", position: 9, tokens: 100, novelty: 64)
        some["f"] = ItemFacts(owner: "fay", position: 10, head: "e", tokens: 100)
        #expect(try influence([("a", 100), ("e", 100)], some).byOwner == ["ann": 800_000_000, "eve": 200_000_000])
        // A copy of what is a copy for the most part is no better.
        #expect(
            try influence([("e", 100), ("f", 100)], some).evidence.influence?.checkpoints.first?.owners.map(\.sum) == [11_200])
        #expect(try influence([("a", 100), ("e", 100)], some, rules: 3).byOwner == ["ann": 500_000_000, "eve": 500_000_000])
    }

    @Test func whatACanaryLosesGarbageMayEarn() throws {
        let scores: [(String, Int64)] = [("a", 500), ("b", 90), ("canary/0/0", -120), ("canary/1/0", 20)]
        #expect(try influence(scores, facts).byOwner == ["ann": 1_000_000_000])
        #expect(try influence(scores, facts, rules: 3).byOwner["bob"] != nil)
    }

    @Test func whoHasASpanFromAnEarlierItemEarnsNothingForIt() throws {
        let items = SnapshotItems([
            "a": ItemFacts(owner: "ann", position: 1, tokens: 500), "b": ItemFacts(owner: "bob", position: 2, tokens: 500),
            "e": ItemFacts(owner: "eve", position: 3, tokens: 500), "v": ItemFacts(owner: "vic", position: 4, head: "a", tokens: 500),
        ])
        func tie(_ has: [String], _ copies: Set<String>, rules: Int = 4) throws -> AttributionResult {
            try Attribution.compute(
                answer: WordSequence(words(0..<100)), prompt: WordSequence(""),
                index: ToldSpans(matches: [span(0, 20, has)], copies: copies), items: items,
                policy: policy([.spans: 1_000_000_000]) { $0.rules = rules })
        }
        let now = try tie(["a", "b", "e"], ["e"])
        #expect(now.byOwner == ["ann": 500_000_000, "bob": 500_000_000] && now.evidence.spans?.first?.documents == 2)
        #expect(try tie(["a", "b", "e"], ["e"], rules: 3).byOwner["eve"] != nil)
        // The variant that has it came after bob's item, whenever its head did.
        #expect(try tie(["b", "v"], ["v"]).byOwner == ["bob": 1_000_000_000])
        // Nobody is a copy of nobody.
        #expect(try tie(["e"], ["e"]).byOwner == ["eve": 1_000_000_000])
    }
}
