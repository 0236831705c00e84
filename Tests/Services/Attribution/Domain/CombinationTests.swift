import AttributionDomain
import Crypto
import TestSupport
import Testing

@Suite struct CombinationTests {
    @Test func partsAlwaysAddUpAndDoNotDependOnTheOrderGiven() throws {
        var generator = Seed.generator()
        for _ in 0..<300 {
            let count = Int.random(in: 1...50, using: &generator)
            let bits = UInt128(Int.random(in: 1...90, using: &generator))
            let weights = (0..<count).map { number in
                (name: "n\(number)", weight: (UInt128(generator.next()) << 64 | UInt128(generator.next())) >> (128 - bits))
            }
            guard let parts = try Apportionment.divide(weights) else {
                #expect(weights.allSatisfy { $0.weight == 0 })
                continue
            }
            #expect(parts.reduce(0, +) == 1_000_000_000)
            let shuffled = weights.shuffled(using: &generator)
            let again = try #require(try Apportionment.divide(shuffled))
            let (a, b) = (Dictionary(uniqueKeysWithValues: zip(weights.map(\.name), parts)), zip(shuffled.map(\.name), again))
            for (name, part) in b { #expect(a[name] == part) }
            let total = weights.reduce(0) { $0 + $1.weight }
            for (entry, part) in zip(weights, parts) {
                let floor = entry.weight * 1_000_000_000 / total
                #expect(UInt128(part) == floor || UInt128(part) == floor + 1)
            }
        }
        #expect(try Apportionment.divide([("b", 1), ("a", 1), ("c", 1)]) == [333_333_333, 333_333_334, 333_333_333])
        #expect(throws: AttributionError.overflow("a sum of weights")) { try Apportionment.divide([("a", UInt128.max), ("b", 1)]) }
    }

    /// All three methods on random input.
    func random(_ generator: inout SeededGenerator) throws -> (AttributionResult, AttributionPolicy) {
        var facts: [String: ItemFacts] = [:]
        for number in 0..<12 {
            facts["i\(number)"] = ItemFacts(
                owner: "o\(number % 5)", position: number, head: number == 7 ? "i2" : nil, tokens: 40 + number, uniqueTokens: 5 * number)
        }
        func ids() -> [String] { facts.keys.sorted().filter { _ in generator.chance(0.3) } }
        let spans = (0..<6).map { SpanMatch(start: $0 * 14, length: 8 + $0 * 3, occurrences: 3, items: ids()) }
        let checkpoints = (0..<Int.random(in: 0...3, using: &generator)).map { number in
            InfluenceScores(
                rows: SHA256.hash(utf8: "r\(number)"), query: SHA256.hash(utf8: "q"), items: facts.keys.sorted() + ["x"],
                scores: (0..<13).map { _ in Int64.random(in: -1_000_000...1_000_000, using: &generator) }, exponent: -30 + number)
        }
        let passages = try ids().map {
            RetrievedPassage(
                item: $0, text: try WordSequence(words(0..<Int.random(in: 1...90, using: &generator))), isCited: generator.chance(0.5))
        }
        var policy = AttributionPolicy()
        policy.threshold = generator.chance(0.3) ? 900_000_000 : 50_000_000
        policy.uncitedPassages = 200_000_000
        let result = try Attribution.compute(
            answer: WordSequence(words(0..<100)), prompt: WordSequence(words(20..<30)), index: ToldSpans(matches: spans),
            influence: checkpoints.isEmpty ? nil : InfluenceInput(checkpoints: checkpoints, canaries: ["x": "canary"]),
            retrieval: passages, items: SnapshotItems(facts), policy: policy)
        return (result, policy)
    }

    @Test func evidenceAloneGivesTheSharesAgainToTheLastUnit() throws {
        var generator = Seed.generator()
        var fallbacks = 0
        for _ in 0..<200 {
            let (result, policy) = try random(&generator)
            #expect(result.shares.reduce(0) { $0 + $1.share } == 1_000_000_000)
            #expect(result.shares.allSatisfy { $0.share > 0 })
            for method in result.methods { #expect(method.shares.isEmpty || method.shares.reduce(0) { $0 + $1.share } == 1_000_000_000) }
            #expect((0...1_000_000_000).contains(result.confidence))
            let bytes = try result.evidence.bytes()
            #expect(SHA256.hash(bytes) == result.digest)
            let read = try AttributionEvidence(json: bytes)
            #expect(read == result.evidence)
            #expect(try Attribution.recompute(evidence: read, policy: policy) == result)
            fallbacks += result.isFallback ? 1 : 0
        }
        #expect(fallbacks > 0 && fallbacks < 200)
    }

    @Test func aMethodCountsByItsWeightTimesItsConfidence() throws {
        let facts = ["a": ItemFacts(owner: "ann", position: 1, tokens: 100), "b": ItemFacts(owner: "bob", position: 2, tokens: 100)]
        let scores = InfluenceScores(
            rows: SHA256.hash(utf8: "r"), query: SHA256.hash(utf8: "q"), items: ["b"], scores: [5], exponent: 0)
        let result = try Attribution.compute(
            answer: WordSequence(words(0..<100)), prompt: WordSequence(""), index: ToldSpans(matches: [span(0, 10, ["a"])]),
            influence: InfluenceInput(checkpoints: [scores]), items: SnapshotItems(facts),
            policy: policy([.spans: 500_000_000, .influence: 500_000_000]))
        // A tenth of the answer is explained by spans, and influence at one checkpoint is trusted by half.
        #expect(result.byOwner == ["ann": 166_666_667, "bob": 833_333_333])
        #expect(result.confidence == 300_000_000)
    }

    @Test func passagesAreCreditedByWhatTheAnswerUsed() throws {
        let facts = [
            "a": ItemFacts(owner: "ann", position: 1, tokens: 100), "b": ItemFacts(owner: "bob", position: 2, tokens: 100),
            "c": ItemFacts(owner: "cy", position: 3, tokens: 100),
        ]
        func passage(_ item: String, _ text: String, _ isCited: Bool) throws -> RetrievedPassage {
            RetrievedPassage(item: item, text: try WordSequence(text), isCited: isCited)
        }
        let passages = [
            try passage("a", words(0..<30), true), try passage("b", words(20..<40), true), try passage("c", words(50..<90), false),
            try passage("b", "nothing of it is in the answer", true),
        ]
        let result = try Attribution.compute(
            answer: WordSequence(words(0..<100)), prompt: WordSequence(""), index: nil, retrieval: passages, items: SnapshotItems(facts),
            policy: policy([.retrieval: 1_000_000_000]))
        // Twenty words are ann's, ten are shared, ten are bob's; cy's was used and not cited.
        #expect(result.byOwner == ["ann": 625_000_000, "bob": 375_000_000])
        #expect(result.evidence.passages?.map(\.usedTokens) == [30, 20, 40, 0])
        #expect(result.confidence == 400_000_000)
    }

    @Test func belowTheThresholdTheFallbackPaysAndSaysSo() throws {
        let facts = ["a": ItemFacts(owner: "ann", position: 1, tokens: 300), "b": ItemFacts(owner: "bob", position: 2, tokens: 100)]
        let match = span(0, 10, ["b"])
        let sure = try spansOnly([match], facts) { $0.threshold = 100_000_000 }
        #expect(!sure.isFallback && sure.byOwner == ["bob": 1_000_000_000] && sure.evidence.fallback == nil)
        let unsure = try spansOnly([match], facts) { $0.threshold = 100_000_001 }
        #expect(unsure.isFallback && unsure.byOwner == ["ann": 750_000_000, "bob": 250_000_000])
        #expect(unsure.methods.first?.shares == [OwnerShare(owner: "bob", share: 1_000_000_000)])
        let kept = try spansOnly([match], facts) {
            $0.threshold = 900_000_000
            $0.fallback = .methods
        }
        #expect(!kept.isFallback && kept.byOwner == ["bob": 1_000_000_000])
        #expect(throws: AttributionError.self) {
            try Attribution.recompute(evidence: sure.evidence, policy: policy([.spans: 1_000_000_000]) { $0.threshold = 500_000_000 })
        }
    }

    @Test func rulesThatAreNotKnownAndPoliciesThatCannotBeMeantAreRefused() throws {
        let facts = ["a": ItemFacts(owner: "ann", position: 1, tokens: 300)]
        #expect(throws: AttributionError.unknownRules(5)) { try spansOnly([], facts) { $0.rules = 5 } }
        #expect(throws: AttributionError.badPolicy(field: "weights", reason: "give no method any weight")) {
            try spansOnly([], facts) { $0.weights = [:] }
        }
        #expect(throws: AttributionError.self) { try spansOnly([], facts) { $0.threshold = -1 } }
    }

    @Test func damagedEvidenceIsRefusedWithThePlace() throws {
        func refusal(_ text: String) -> String {
            do {
                _ = try AttributionEvidence(json: Array(text.utf8))
                return "none"
            } catch { return "\(error)" }
        }
        #expect(refusal("{").contains("evidence at its root"))
        #expect(refusal(#"{"answerTokens":1,"echoedTokens":2,"rules":1}"#).contains("/echoedTokens"))
        #expect(refusal(#"{"answerTokens":1,"echoedTokens":0,"rules":1,"spans":[{"start":-1}]}"#).contains("/spans/0/start"))
        #expect(refusal(#"{"answerTokens":1,"echoedTokens":0,"rules":1,"surprise":1}"#).contains("surprise"))
        let sum = #"{"owner":"a","rows":1,"sum":"1e3"}"#
        let hash = SHA256.hash(utf8: "h").description
        let checkpoint = #"{"canaries":[],"cappedRows":0,"owners":[\#(sum)],"query":"\#(hash)","rows":"\#(hash)","skippedRows":0}"#
        #expect(
            refusal(#"{"answerTokens":1,"echoedTokens":0,"influence":{"checkpoints":[\#(checkpoint)],"exponent":0},"rules":1}"#)
                .contains("/influence/checkpoints/0/owners/0/sum"))
    }
}
