/// Learns a byte-level byte-pair vocabulary from text (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2) and writes it as
/// `tokenizer.json`. Words are cut by Qwen2's pattern, text is composed (NFC) first.
///
/// The same texts in the same order give the same bytes: of pairs that are equally frequent the one of lower ids is merged
/// first, and nothing depends on hashing or threads.
public struct BPETrainer: Sendable {
    /// How many tokens there shall be, special ones and the 256 bytes included; fewer when the text has no more pairs.
    public let vocabularySize: Int
    /// The special tokens; they get the ids from 0 on, in this order.
    public let specialTokens: [String]
    /// Pairs that stand in the text less often are not merged.
    public let minimumCount: Int

    /// A trainer for a vocabulary of at most 2^20 tokens.
    public init(vocabularySize: Int, specialTokens: [String], minimumCount: Int = 2) throws(FormatError) {
        guard vocabularySize >= 256 + specialTokens.count, vocabularySize <= TokenizerFile.greatestVocabulary else {
            throw FormatError(
                .malformed, file: "vocabulary to be trained",
                "\(vocabularySize) tokens cannot be: from \(256 + specialTokens.count) to \(TokenizerFile.greatestVocabulary)")
        }
        guard Set(specialTokens).count == specialTokens.count, specialTokens.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 1000 }) else {
            throw FormatError(.malformed, file: "vocabulary to be trained", "special tokens must differ and have 1 to 1,000 bytes")
        }
        self.vocabularySize = vocabularySize
        self.specialTokens = specialTokens
        self.minimumCount = max(1, minimumCount)
    }

    /// The bytes of the `tokenizer.json` that these texts give.
    public func train(_ texts: some Sequence<String>) -> [UInt8] {
        let firstByte = Int32(specialTokens.count)
        var merger = PairCounting(words: wordCounts(texts), firstByte: firstByte)
        var tokens: [[UInt8]] = (0..<256).map { [UInt8($0)] }
        var merges: [(Int32, Int32)] = []
        var known: Set<[UInt8]> = Set(tokens)
        while Int(firstByte) + tokens.count < vocabularySize, let pair = merger.mostFrequent(atLeast: minimumCount) {
            let bytes = tokens[Int(pair.left - firstByte)] + tokens[Int(pair.right - firstByte)]
            // Two ways to one text would make one token of two merges, which readers of the file take for two.
            guard known.insert(bytes).inserted else {
                merger.forget(pair)
                continue
            }
            merger.merge(pair, into: firstByte + Int32(tokens.count))
            tokens.append(bytes)
            merges.append((pair.left, pair.right))
        }
        return TokenizerDocument(specialTokens: specialTokens, tokens: tokens, merges: merges).json
    }

    /// The different words with their counts, in the order of their bytes.
    private func wordCounts(_ texts: some Sequence<String>) -> [(word: [UInt8], count: Int)] {
        let preTokenizer = PreTokenizer(steps: [.pattern(.cl100k(digits: 1))])
        var counts: [[UInt8]: Int] = [:]
        for text in texts {
            TextNormalizer.composed(Array(text.utf8)).withUnsafeBufferPointer { bytes in
                preTokenizer.words(in: bytes, isFirst: true) { word in counts[Array(word), default: 0] += 1 }
            }
        }
        return counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
}
