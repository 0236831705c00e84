import Engine
import Foundation
import TestSupport
import Testing

/// Small tokenizers and texts for tests.
enum TestTokenizers {
    static let prose = """
        People bring data, models are tuned on it and served, and each answer is paid for. It's what we've said; they'll see 12 345 of them.
        Every fact is one event in one log. Naïve façades über Größe, 北京大学, 한국어, emoji 🙂👩‍🚀 and the year 2024.
        """

    static func trained(_ size: Int = 600) throws -> Tokenizer {
        try Tokenizer(json: try BPETrainer(vocabularySize: size, specialTokens: ["<|end|>", "<|user|>"]).train([prose, prose]))
    }

    /// Texts of all sorts of characters, with the seed's luck.
    static func hostileText(_ random: inout SeededGenerator) -> String {
        let pool = [
            "a", "b", "Z", "é", "e\u{301}", "1", "٣", " ", "  ", "\n", "\r\n", "\t", "\u{a0}", "\u{3000}", "'s", "'LL", "'", "—", "<|end|>",
            "<", "|",
            "\0", "\u{1f}", "\u{85}", "中", "한", "🙂", "👩\u{200d}🚀", "\u{10400}", "\u{feff}", "the", "people", "data", "\u{0f73}",
        ]
        return (0..<Int.random(in: 0...40, using: &random)).map { _ in pool.randomElement(using: &random) ?? "" }.joined()
    }
}
