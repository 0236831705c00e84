import Crypto
import Events
import TestSupport
import Testing

@testable import AttributionDomain

@Suite("What the law says of findings") struct FindingCheckTests {
    private func check(rules: Int, canary: String) throws {
        let checkpoint = InfluenceEvidence.Checkpoint(
            rows: .zero, query: .zero, owners: [.init(owner: "ann", sum: 10, rows: 1)], canaries: [.init(owner: canary, sum: 3, rows: 8)],
            cappedRows: 0, skippedRows: 0)
        let found = AttributionEvidence(
            rules: rules, snapshotRoot: nil, answerTokens: 5, echoedTokens: 0, spans: nil, uniqueTokens: [:],
            influence: InfluenceEvidence(checkpoints: [checkpoint], exponent: -20), passages: nil, parties: .alone, fallback: nil)
        let policy = Events.AttributionPolicy(
            rules: "attribution/\(rules)", spans: 0, influence: 10_000, retrieval: 0, threshold: 0, cap: 1_000_000_000, fallback: "tokens",
            minimumSpan: 8)
        let items = SnapshotItems(["a": ItemFacts(owner: "ann", position: 1, tokens: 10)])
        try FindingCheck(found, items: items, sources: [], policy: policy).check(passages: [])
    }

    @Test func canariesAreOfTheRulesThatKnowThemAndNeverAnOwner() throws {
        try check(rules: 2, canary: "canary/0")
        #expect(throws: (any Error).self) { try check(rules: 1, canary: "canary/0") }
        for name in ["ann", "canary/0/1", "canary", ""] {
            #expect(throws: (any Error).self, "\(name)") { try check(rules: 2, canary: name) }
        }
        #expect(throws: AttributionError.unknownRules(5)) { try check(rules: 5, canary: "canary/0") }
    }

    @Test func byTheOldRulesAVariantOfAnExcerptEarnsForTheExcerpt() throws {
        // B is an excerpt of C, A a variant of B.
        let items = SnapshotItems([
            "a": ItemFacts(owner: "ann", position: 3, head: "b", tokens: 10),
            "b": ItemFacts(owner: "bob", position: 2, head: "c", tokens: 10),
            "c": ItemFacts(owner: "cy", position: 1, tokens: 10),
        ])
        func check(_ rules: Int) throws {
            let policy = Events.AttributionPolicy(
                rules: "attribution/\(rules)", spans: 10_000, influence: 0, retrieval: 0, threshold: 0, cap: 1_000_000_000,
                fallback: "tokens", minimumSpan: 8)
            let found = try Attribution.compute(
                answer: WordSequence(words(0..<20)), prompt: WordSequence(""),
                index: Planted(SpanMatch(start: 0, length: 20, occurrences: 1, items: ["a"])), items: items,
                policy: AttributionPolicy(policy)
            ).evidence
            let source = AttributionStatement.Source(
                snapshot: SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: .zero), index: .zero, isRetrieval: false)
            try FindingCheck(found, items: items, sources: [source], policy: policy).check(passages: [])
        }
        try check(1)
        try check(2)
        // The rules 3 follow heads to the end, so that no table of theirs looks like this.
        #expect(throws: (any Error).self) { try check(3) }
    }

    @Test func whoStandsBehindNamesIsWhatTheLogSays() throws {
        let facts = ["a": ItemFacts(owner: "author", position: 1, tokens: 50), "b": ItemFacts(owner: "bob", position: 2, tokens: 50)]
        let known = SnapshotItems(facts, parties: Parties(["author": "ivy", "ivy": ""]))
        func check(_ computed: SnapshotItems, rules: Int = 4) throws {
            let policy = Events.AttributionPolicy(
                rules: "attribution/\(rules)", spans: 10_000, influence: 0, retrieval: 0, threshold: 0, cap: 1_000_000_000,
                fallback: "tokens", minimumSpan: 8)
            let found = try Attribution.compute(
                answer: WordSequence(words(0..<20)), prompt: WordSequence(""),
                index: Planted(SpanMatch(start: 0, length: 20, occurrences: 2, items: ["a", "b"])), items: computed,
                policy: AttributionPolicy(policy)
            ).evidence
            let source = AttributionStatement.Source(
                snapshot: SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: .zero), index: .zero, isRetrieval: false)
            try FindingCheck(found, items: known, sources: [source], policy: policy).check(passages: [])
        }
        try check(known)
        try check(known, rules: 3)
        // Somebody who makes an author a party of its own, or hides behind whom it stands, is found.
        for parties in [Parties.alone, Parties(["author": ""]), Parties(["author": "bob"])] {
            #expect(throws: (any Error).self) { try check(SnapshotItems(facts, parties: parties)) }
        }
    }

    private struct Planted: SpanSource {
        let match: SpanMatch
        let snapshotRoot = Digest.zero

        init(_ match: SpanMatch) { self.match = match }

        func maximalSpans(of text: WordSequence, minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch] { [match] }
        func copies(of words: Range<Int>, in text: WordSequence, among items: [String], minimum: Int) -> Set<String> { [] }
    }

    @Test func sumsThatNoRowsCanMakeAreRefusedWhenTheyAreRead() throws {
        func read(_ sum: String) throws(AttributionError) -> AttributionEvidence {
            let owner = "{\"owner\":\"ann\",\"rows\":1,\"sum\":\"\(sum)\"}"
            let zero = Digest.zero.description
            let checkpoint =
                "{\"canaries\":[],\"cappedRows\":0,\"owners\":[\(owner)],\"query\":\"\(zero)\",\"rows\":\"\(zero)\",\"skippedRows\":0}"
            let text =
                "{\"answerTokens\":1,\"echoedTokens\":0,\"influence\":{\"checkpoints\":[\(checkpoint),\(checkpoint)],\"exponent\":0},\"rules\":2}"
            return try AttributionEvidence(json: Array(text.utf8))
        }
        var policy = AttributionPolicy()
        policy.rules = 2
        policy.weights = [.influence: 1]
        #expect(try Attribution.recompute(evidence: read("5"), policy: policy).shares.map(\.owner) == ["ann"])
        for sum in [String(Int128.max), String(Int128.min), String(Int128(1) << 96)] {
            #expect(throws: AttributionError.self, "\(sum)") { try read(sum) }
        }
        #expect(throws: AttributionError.overflow("influence of ann")) {
            try Attribution.recompute(evidence: read(String(Int128(1) << 96 - 1)), policy: policy)
        }
    }
}
