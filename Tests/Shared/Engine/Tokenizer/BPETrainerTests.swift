import Crypto
import Engine
import JSON
import TestSupport
import Testing

/// Vocabularies learned from text.
struct BPETrainerTests {
    @Test func `the most frequent pair is merged first, of equals the one of lower ids`() throws {
        let bytes = try BPETrainer(vocabularySize: 256 + 3, specialTokens: []).train(["abab abab cd cd cd cd ef ef ef ef"])
        let merges = try #require(try JSON.parse(bytes)["model"]?["merges"]?.arrayValue).map { $0.arrayValue?.compactMap(\.stringValue) }
        // "Ġ" stands for the blank, whose id is the lowest of those that stand four times before another.
        #expect(merges == [["Ġ", "c"], ["Ġ", "e"], ["a", "b"]])
    }

    @Test func `the same texts give the same bytes, whatever way they are cut into texts`() throws {
        let trainer = try BPETrainer(vocabularySize: 400, specialTokens: ["<|end|>"])
        let whole = trainer.train([TestTokenizers.prose, TestTokenizers.prose])
        #expect(trainer.train([TestTokenizers.prose, TestTokenizers.prose]) == whole)
        // Its hash, so that no later change passes unseen: lineages name it.
        #expect(try Tokenizer(json: whole).digest == SHA256.hash(whole))
    }

    @Test func `a pair that is too rare is not merged, and a vocabulary may stay smaller than asked for`() throws {
        let tokenizer = try Tokenizer(
            json: try BPETrainer(vocabularySize: 5_000, specialTokens: ["<|end|>"], minimumCount: 3).train(["abc abc xyz"]))
        #expect(tokenizer.vocabularySize == 257)
        #expect(throws: FormatError.self) { try BPETrainer(vocabularySize: 255, specialTokens: []) }
        #expect(throws: FormatError.self) { try BPETrainer(vocabularySize: 300, specialTokens: ["a", "a"]) }
    }

    @Test func `incremental counting merges what counting anew would merge`() throws {
        var random = Seed.generator()
        for _ in 0..<10 {
            let letters = Array("abcd")
            let words = (0..<60).map { _ in
                String((0..<Int.random(in: 1...8, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
            }
            let bytes = try BPETrainer(vocabularySize: 256 + 25, specialTokens: [], minimumCount: 2).train([words.joined(separator: "\n")])
            let merges = try #require(try JSON.parse(bytes)["model"]?["merges"]?.arrayValue).compactMap {
                $0.arrayValue?.compactMap(\.stringValue).joined(separator: " ")
            }
            #expect(merges == naive(words, 25), "seed \(random.seed)")
        }
    }

    /// Byte-pair merging as the paper has it: count all pairs anew after each merge.
    private func naive(_ texts: [String], _ count: Int) -> [String] {
        // Words as the pattern cuts them here: letters, and each line end by itself.
        var words = texts.map { $0.map { String($0) } }, order = (0..<256).map { String(Character(Unicode.Scalar(UInt8($0)))) }
        var merges: [String] = [], known = Set(order)
        while merges.count < count {
            var counts: [[String]: Int] = [:]
            for word in words { for (a, b) in zip(word, word.dropFirst()) { counts[[a, b], default: 0] += 1 } }
            func rank(_ pair: [String]) -> [Int] { pair.compactMap { order.firstIndex(of: $0) } }
            let usable = counts.filter { $0.value >= 2 && !known.contains($0.key.joined()) }
            guard
                let best = usable.min(by: {
                    $0.value != $1.value ? $0.value > $1.value : rank($0.key).lexicographicallyPrecedes(rank($1.key))
                })
            else { break }
            merges.append(best.key.joined(separator: " "))
            order.append(best.key.joined())
            known.insert(best.key.joined())
            words = words.map { word in
                var out: [String] = [], at = 0
                while at < word.count {
                    if at + 1 < word.count, word[at] == best.key[0], word[at + 1] == best.key[1] {
                        out.append(best.key.joined())
                        at += 2
                    } else {
                        out.append(word[at])
                        at += 1
                    }
                }
                return out
            }
        }
        return merges
    }
}
