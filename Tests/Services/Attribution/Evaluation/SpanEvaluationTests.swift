import AttributionDomain
import AttributionEvaluation
import Foundation
import TestSupport
import Testing

@Suite struct SpanEvaluationTests {
    /// Texts over a vocabulary in which some words are frequent, as people's are; each item has a run of its own in every fifty words.
    private func corpus(_ random: inout SeededGenerator) throws -> [EvaluationItem] {
        try (0..<80).map { number in
            let words = (0..<90).map { _ in
                let rank = Int.random(in: 1...40, using: &random) * Int.random(in: 1...40, using: &random)
                return "w\(rank)"
            }
            return EvaluationItem(
                id: "i\(number)", contributor: "c\(number % 7)", text: try WordSequence(words.joined(separator: " ")))
        }
    }

    @Test func eachPromiseOfSpansHoldsOnASmallCorpusAndEachAttackEarnsWithItsDefenceOff() throws {
        var random = SeededGenerator(seed: 7)
        let folder = try TemporaryFolder("spans")
        func table(seed: UInt64) throws -> EvaluationTable {
            // Screening's part: lists of runs are far longer than items.
            var evaluation = AttributionEvaluation(
                items: try corpus(&random), seed: seed, folder: URL(fileURLWithPath: folder.path("table-\(seed)")),
                refuses: { $0.count > 400 })
            return try evaluation.run()
        }
        let found = try table(seed: 7)
        #expect(found.rows.count == 12)
        for row in found.rows { #expect(row.isMet, "\(row.name): \(row.value)") }
        // Without its defence each attack that copies or asks pays: the defences are what the table measures.
        for name in ["copycat of", "copycat with", "prompt echo"] {
            let row = try #require(found.rows.first { $0.name.hasPrefix(name) })
            #expect((row.without ?? 0) > 0.1, "\(row.name)")
        }
    }
}
