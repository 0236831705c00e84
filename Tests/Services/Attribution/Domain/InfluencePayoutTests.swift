import AttributionDomain
import Crypto
import Testing

@Suite struct InfluencePayoutTests {
    func checkpoint(_ scores: [(String, Int64)], exponent: Int = -20) -> InfluenceScores {
        InfluenceScores(
            rows: SHA256.hash(utf8: "rows"), query: SHA256.hash(utf8: "query"), items: scores.map(\.0), scores: scores.map(\.1),
            exponent: exponent)
    }

    let items = [
        "a1": ItemFacts(owner: "ann", position: 1, tokens: 100), "a2": ItemFacts(owner: "ann", position: 2, tokens: 100),
        "b1": ItemFacts(owner: "bob", position: 3, tokens: 100), "d1": ItemFacts(owner: "dan", position: 4, tokens: 100),
    ]

    func compute(
        _ checkpoints: [InfluenceScores], canaries: [String: String] = [:], _ change: (inout AttributionPolicy) -> Void = { _ in }
    ) throws -> AttributionResult {
        try Attribution.compute(
            answer: WordSequence("an answer"), prompt: WordSequence(""), index: nil,
            influence: InfluenceInput(checkpoints: checkpoints, canaries: canaries), items: SnapshotItems(items),
            policy: policy([.influence: 1_000_000_000], change))
    }

    @Test func signedScoresAreSummedBeforeTheyAreClipped() throws {
        let result = try compute([checkpoint([("a1", 900), ("a2", -600), ("b1", 100), ("d1", -50)])])
        #expect(result.byOwner == ["ann": 750_000_000, "bob": 250_000_000])
    }

    @Test func aSplitAmongRowsOfOneOwnerChangesNothing() throws {
        let whole = try compute([checkpoint([("a1", 300), ("b1", 100)])])
        let split = try compute([checkpoint([("a1", 500), ("a2", -200), ("b1", 100)])])
        #expect(whole.byOwner == split.byOwner)
    }

    @Test func whatCanariesEarnIsTakenOff() throws {
        let canaries = ["x1": "canary", "x2": "canary"]
        let scores: [(String, Int64)] = [("a1", 500), ("a2", 500), ("b1", 90), ("x1", 60), ("x2", 40)]
        let none = try compute([checkpoint(scores)], canaries: canaries) { $0.canaryScaling = .linear }
        // The canary earns 50 a row: of 1000 there stay 900, of 90 there stay 40.
        #expect(none.byOwner == ["ann": 957_446_809, "bob": 42_553_191])
        #expect(none.confidence < 500_000_000)
        let same = try compute([checkpoint(scores)], canaries: canaries) { $0.canaryScaling = .none }
        #expect(same.byOwner == ["ann": 1_000_000_000])
        // The root of half the rows is 0.7071: 70 of 90.
        let root = try compute([checkpoint(scores)], canaries: canaries)
        #expect(try #require(root.byOwner["bob"]) > 15_000_000 && (root.byOwner["bob"] ?? 0) < 25_000_000)
    }

    @Test func theFirstRulesKnowNoCanariesAndPassTheirRowsOver() throws {
        let scores: [(String, Int64)] = [("a1", 500), ("b1", 500), ("canary/0/0", 400)]
        let names = Canary.names(among: scores.map(\.0))
        #expect(names == ["canary/0/0": "canary/0"])
        let old = try compute([checkpoint(scores)], canaries: names) { $0.rules = 1 }
        #expect(old.byOwner == ["ann": 500_000_000, "bob": 500_000_000] && old.confidence == 500_000_000)
        #expect(old.evidence.influence?.checkpoints.first?.canaries == [])
        #expect(old.evidence.influence?.checkpoints.first?.skippedRows == 1)
        let new = try compute([checkpoint(scores)], canaries: names)
        // Each keeps 100 of 500.
        #expect(new.byOwner == old.byOwner && new.confidence == 100_000_000)
        #expect(new.evidence.influence?.checkpoints.first?.canaries.map(\.owner) == ["canary/0"])
        #expect(throws: AttributionError.unknownRules(5)) { try compute([checkpoint(scores)]) { $0.rules = 5 } }
    }

    @Test func anOutlierCountsAsTheCap() throws {
        let result = try compute([checkpoint([("a1", 1_000_000), ("a2", 0), ("b1", 10), ("d1", 10)])]) { $0.outlierCap = 4 }
        #expect(result.byOwner == ["ann": 666_666_667, "bob": 166_666_667, "dan": 166_666_666])
        #expect(result.evidence.influence?.checkpoints.first?.cappedRows == 1)
    }

    @Test func confidenceIsTheAgreementOfCheckpoints() throws {
        let same = checkpoint([("a1", 50), ("b1", 50)])
        #expect(try compute([same, same]).confidence == 1_000_000_000)
        #expect(try compute([same, checkpoint([("a1", 100), ("b1", -5)])]).confidence == 500_000_000)
        #expect(try compute([checkpoint([("a1", 1)]), checkpoint([("b1", 1)])]).confidence == 0)
        #expect(try compute([same]).confidence == 500_000_000)
    }

    @Test func checkpointsOfDifferentUnitsAreBroughtToOne() throws {
        let fine = checkpoint([("a1", 64), ("b1", 64)], exponent: -20)
        let result = try compute([fine, checkpoint([("a1", 3), ("b1", 1)], exponent: -14)])
        #expect(result.byOwner == ["ann": 666_666_667, "bob": 333_333_333])
    }

    @Test func checkpointsThatAgreeOnNobodyLeaveItToTheFallback() throws {
        let result = try compute([checkpoint([("a1", 1)]), checkpoint([("b1", 1)])])
        #expect(result.isFallback && result.confidence == 0)
    }

    @Test func rowsOfErasedItemsAreLeftOutAndCounted() throws {
        let result = try compute([checkpoint([("a1", 64), ("erased", 1000)])])
        #expect(result.byOwner == ["ann": 1_000_000_000])
        #expect(result.evidence.influence?.checkpoints.first?.skippedRows == 1)
    }

    @Test func extremeScoresDoNotOverflow() throws {
        let result = try compute([checkpoint([("a1", .max), ("a2", .max), ("b1", .min)])]) { $0.outlierCap = 0 }
        #expect(result.byOwner == ["ann": 1_000_000_000])
    }
}
