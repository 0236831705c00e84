import AttributionDomain
import Foundation
import TestSupport
import Testing

@testable import AttributionEvaluation

@Suite struct InfluenceEvaluationTests {
    @Test func ranksAgreeWhateverTheValuesAre() {
        #expect(Agreement.spearman([1, 2, 3, 4], [10, 200, 3_000, 40_000]) == 1)
        #expect(Agreement.spearman([1, 2, 3, 4], [4, 3, 2, 1]) == -1)
        // Ties share their rank: (1, 2.5, 2.5, 4) against (1, 2, 3, 4).
        #expect(abs(Agreement.spearman([1, 2, 2, 3], [1, 2, 3, 4]) - 0.948_683_298) < 1e-8)
        #expect(Agreement.spearman([1, 1, 1], [1, 2, 3]) == 0)
    }

    @Test func aTableSaysWhereABoundIsNotMet() {
        var table = EvaluationTable()
        #expect(table.isMet)
        table.add("good", 0.9, atLeast: 0.8)
        #expect(table.isMet)
        table.add("bad", without: 3, 2, atMost: 1.1)
        #expect(!table.isMet)
        #expect(table.markdown.contains("| good |  | 0.9000 | ≥ 0.8000 | yes |"))
        #expect(table.markdown.contains("| bad | 3.0000 | 2.0000 | ≤ 1.1000 | no |"))
    }
}
