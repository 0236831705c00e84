import Testing

@testable import Engine

@Suite("What an answer says by itself") struct AnswerExampleTests {
    @Test func whatThePromptSaidCountsForNobody() throws {
        let prompt: [Int32] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        let plain = try #require(TrainingExample.answer([20, 21, 22], to: prompt, context: 64))
        #expect(plain == TrainingExample(tokens: prompt + [20, 21, 22], lossFrom: 9))
        // Seven in a row are the prompt's, five are not enough.
        let mixed = try #require(TrainingExample.answer([20, 2, 3, 4, 5, 6, 7, 8, 21, 1, 2, 3, 4, 5, 22], to: prompt, context: 64))
        #expect(mixed.targets == [9, 17, 18, 19, 20, 21, 22, 23])
        #expect(TrainingExample.answer([2, 3, 4, 5, 6, 7], to: prompt, context: 64) == nil)
        #expect(TrainingExample.answer([], to: prompt, context: 64) == nil)
        #expect(TrainingExample.answer([5, 6], to: [], context: 64)?.targets == [1])
    }

    @Test func ofMoreThanTheModelReadsTheLastCount() throws {
        let prompt = (0..<50).map { Int32($0) }
        let cut = try #require(TrainingExample.answer([70, 10, 11, 12, 13, 14, 15, 71], to: prompt, context: 12))
        #expect(cut.tokens == [46, 47, 48, 49, 70, 10, 11, 12, 13, 14, 15, 71] && cut.targets == [4, 11])
        let long = try #require(TrainingExample.answer((0..<20).map { Int32(100 + $0) }, to: prompt, context: 12))
        #expect(long.tokens == (108..<120).map { Int32($0) } && long.targets == Array(1..<12))
        let echoed = TrainingExample.answer(Array(prompt[10..<40]), to: prompt, context: 12)
        #expect(echoed == nil)
    }
}
