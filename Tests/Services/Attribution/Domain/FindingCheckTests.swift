import Crypto
import Events
import Testing

@testable import AttributionDomain

@Suite("What the law says of findings") struct FindingCheckTests {
    private func check(rules: Int, canary: String) throws {
        let checkpoint = InfluenceEvidence.Checkpoint(
            rows: .zero, query: .zero, owners: [.init(owner: "ann", sum: 10, rows: 1)], canaries: [.init(owner: canary, sum: 3, rows: 8)],
            cappedRows: 0, skippedRows: 0)
        let found = AttributionEvidence(
            rules: rules, snapshotRoot: nil, answerTokens: 5, echoedTokens: 0, spans: nil, uniqueTokens: [:],
            influence: InfluenceEvidence(checkpoints: [checkpoint], exponent: -20), passages: nil, fallback: nil)
        let policy = Events.AttributionPolicy(
            rules: "attribution/\(rules)", spans: 0, influence: 10_000, retrieval: 0, threshold: 0, cap: 1_000_000_000, fallback: "tokens",
            minimumSpan: 8)
        let items = SnapshotItems(["a": ItemFacts(owner: "ann", position: 1, tokens: 10)])
        try FindingCheck(found, items: items, sources: [], policy: policy, missing: []).check(passages: [])
    }

    @Test func canariesAreOfTheRulesThatKnowThemAndNeverAnOwner() throws {
        try check(rules: 2, canary: "canary/0")
        #expect(throws: (any Error).self) { try check(rules: 1, canary: "canary/0") }
        for name in ["ann", "canary/0/1", "canary", ""] {
            #expect(throws: (any Error).self, "\(name)") { try check(rules: 2, canary: name) }
        }
        #expect(throws: AttributionError.unknownRules(3)) { try check(rules: 3, canary: "canary/0") }
    }
}
