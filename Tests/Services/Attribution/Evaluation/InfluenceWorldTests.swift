import AttributionDomain
import Crypto
import Engine
import Foundation
import TestSupport
import Testing

@testable import AttributionEvaluation

/// What influence is evaluated on, with the model that ships.
@Suite struct InfluenceWorldTests {
    private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("models/base").path

    /// Contributors with so many items of made-up words.
    private func items(contributors: Int, words: Int) throws -> [EvaluationItem] {
        var choices = Choices(state: 3)
        return try (0..<contributors).map { owner in
            let text = (0..<words).map { _ in "word\(Int.random(in: 0..<500, using: &choices))" }.joined(separator: " ")
            return EvaluationItem(id: "i\(owner)", contributor: "c\(owner)", text: try WordSequence(text))
        }
    }

    @Test func aFactIsWhatOneContributorTellsAndNobodyElseSays() throws {
        let tokenizer = try Tokenizer(folder: folder)
        var choices = Choices(state: 7)
        let world = try InfluenceWorld(
            [try items(contributors: 9, words: 2_000)], tokenizer: tokenizer, vocabulary: 4_096, contributors: 8, choices: &choices)
        #expect(world.names == (0..<8).map { "c\($0)" })
        #expect(world.rows.count == 8 * (InfluenceWorld.natural + InfluenceWorld.facts))
        #expect(world.rows.filter { $0.fact == nil }.allSatisfy { $0.example.tokens.count == InfluenceWorld.length })
        #expect(Set(world.rows.map(\.item)).count == world.rows.count)
        let asked = world.queries.filter { $0.fact != nil }
        #expect(asked.count == 8 * InfluenceWorld.facts)
        for query in asked {
            let answer = query.example.targets.map { query.example.tokens[$0] }
            let tellers = world.rows.filter { row in
                row.example.tokens.indices.contains { row.example.tokens[$0...].starts(with: answer) }
            }
            #expect(answer.count == 3 && tellers.map(\.fact) == [query.fact] && tellers.first?.owner == query.owner)
        }
        // The same seed makes the same world.
        var again = Choices(state: 7)
        let second = try InfluenceWorld(
            [try items(contributors: 9, words: 2_000)], tokenizer: tokenizer, vocabulary: 4_096, contributors: 8, choices: &again)
        #expect(second.rows.map(\.example) == world.rows.map(\.example))
        #expect(second.queries.map(\.example) == world.queries.map(\.example))
    }

    @Test func aCorpusOfTooFewContributorsIsRefused() throws {
        let (tokenizer, few) = (try Tokenizer(folder: folder), try items(contributors: 7, words: 2_000))
        var choices = Choices(state: 7)
        #expect(throws: InfluenceWorld.TooSmall.self) {
            try InfluenceWorld([few], tokenizer: tokenizer, vocabulary: 4_096, contributors: 16, choices: &choices)
        }
    }

    @Test func workThatIsDoneSideBySideComesInOrderAndAFailureEndsIt() async throws {
        let recipe = Learned.Recipe(
            model: try LanguageModel(folder: folder), base: SHA256.hash(utf8: "base"), pool: try ComputePool(threads: 3), seed: 1)
        let trainings = Trainings(recipe: recipe, kept: try KeptResults(folder: nil), queries: [], note: { _ in })
        let found = try await trainings.each(8) { place, pool in [[Double(place), Double(pool.threads)]] }
        #expect(found == (0..<8).map { [[Double($0), 1]] })
        #expect(try await trainings.each(0) { _, _ in [] }.isEmpty)
        await #expect(throws: InfluenceWorld.TooSmall.self) {
            _ = try await trainings.each(4) { place, _ in
                if place == 2 { throw InfluenceWorld.TooSmall(found: place) }
                return []
            }
        }
    }
}
