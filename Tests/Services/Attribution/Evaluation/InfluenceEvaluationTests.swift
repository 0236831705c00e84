import AttributionDomain
import Crypto
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

    @Test func resultsThatWereKeptAreNotComputedAgainAndDamagedOnesAre() async throws {
        let folder = try TemporaryFolder("kept")
        let kept = try KeptResults(folder: folder.path), digest = SHA256.hash(utf8: "a result")
        let lists: [[Double]] = [[1, -0.1, .pi], [], [1e-300]]
        #expect(try await kept.lists(digest) { lists } == lists)
        #expect(try await kept.lists(digest) { [] } == lists)
        #expect(try await kept.lists(SHA256.hash(utf8: "another")) { [[2]] } == [[2]])
        let path = folder.path(String(digest.hex.prefix(32)) + ".lists")
        var bytes = try #require(FileManager.default.contents(atPath: path))
        bytes[20] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(try await kept.lists(digest) { [[3]] } == [[3]])
        #expect(try await KeptResults(folder: nil).lists(digest) { [[4]] } == [[4]])
    }

    @Test func aTableSaysWhereABoundIsNotMet() {
        var table = EvaluationTable()
        #expect(table.isMet)
        table.add("good", 0.9, atLeast: 0.8)
        #expect(table.isMet)
        table.add("bad", without: 3, 2, atMost: 1.1)
        #expect(!table.isMet)
        #expect(table.markdown.contains("| good |  | 0.9000 | ≥ 0.8000 | yes |"))
        table.add("small", 2.5e-7, atMost: 1e-5)
        #expect(table.markdown.contains("| small |  | 2.5e-07 | ≤ 1.0e-05 | yes |"))
        #expect(table.markdown.contains("| bad | 3.0000 | 2.0000 | ≤ 1.1000 | no |"))
    }
}
