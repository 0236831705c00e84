import Engine
import Foundation
import JSON
import TestSupport
import Testing

/// Hugging Face's tokenizers and ours make the same tokens of the same texts, and the same texts of the same tokens.
struct TokenizerInteropTests {
    #if DEBUG
        /// Unoptimised code takes a part of the rows.
        static let stride = 16
    #else
        static let stride = 1
    #endif

    /// The folder of the Datanet extracts: OPENLEDGER_TEST_DATANETS, or beside the fixtures.
    static var datanets: String? {
        ProcessInfo.processInfo.environment["OPENLEDGER_TEST_DATANETS"] ?? TestInput.fixtures.map { $0 + "/../datanets" }
    }

    static func texts(_ random: inout SeededGenerator) throws -> [String] {
        var texts = [
            TestTokenizers.prose, "", " ", "a Word, sWord Words <tool> x <tool>y  <tool>", "é Word é", String(repeating: "ab", count: 500),
        ]
        if let folder = datanets {
            for name in ["defi-security", "finance-tatqa", "healthcare-medquad"] {
                guard let data = FileManager.default.contents(atPath: "\(folder)/\(name).jsonl") else { continue }
                for (index, line) in data.split(separator: 10).enumerated() where index % stride == 0 {
                    let row = try JSON.parse(Array(line))
                    texts += ["prompt", "completion", "text"].compactMap { row[$0]?.stringValue }
                }
            }
        }
        texts += (0..<3_000 / stride).map { _ in TestTokenizers.hostileText(&random) }
        // Every character of the first planes, with letters and digits around it.
        for value in Swift.stride(from: UInt32(1), to: 0x20000, by: value(debug: 61, release: 1)) {
            // Gurung Khema came with Unicode 16; which libraries compose its vowels depends on their age.
            guard let scalar = Unicode.Scalar(value), !(0x16100...0x1613f).contains(value) else { continue }
            texts.append("a\(scalar)\(scalar)b 1\(scalar)")
        }
        return texts
    }

    private static func value(debug: Int, release: Int) -> Int { stride > 1 ? debug : release }

    @Test(.enabled(if: EngineInterop.has("tokenizers"), "needs OPENLEDGER_TEST_PYTHON, a Python with tokenizers"))
    func `ten families give Hugging Face's tokens and text on all rows and on hostile text`() throws {
        let folder = try TemporaryFolder("tokenizers")
        var random = Seed.generator()
        let texts = try Self.texts(&random)
        let lines = texts.map { String(decoding: JSON.write(.string($0)), as: UTF8.self) }.joined(separator: "\n")
        try folder.write(lines + "\n", to: "texts.jsonl")
        try EngineInterop.script("tokenizers_agreement.py", [folder.path, folder.path("texts.jsonl")])
        for family in ["gpt2", "gpt2-prefix", "smollm", "llama3", "qwen2", "llama2", "mistral", "metaspace", "unigram", "unigram-bytes"] {
            let tokenizer = try Tokenizer(json: Array(Data(contentsOf: URL(fileURLWithPath: folder.path(family + ".json")))))
            let expected = try Data(contentsOf: URL(fileURLWithPath: folder.path(family + ".jsonl"))).split(separator: 10)
            try #require(expected.count == texts.count)
            var differing = 0
            for (text, line) in zip(texts, expected) {
                let row = try JSON.parse(Array(line))
                let tokens = tokenizer.encode(text)
                let same = tokens == row["tokens"]?.arrayValue?.compactMap { $0.intValue.map { Int32($0) } }
                let decoded = Array(tokenizer.decode(tokens).utf8) == Array((row["text"]?.stringValue ?? "").utf8)
                if !same || !decoded {
                    differing += 1
                    if differing < 4 { Issue.record("\(family): \(text.debugDescription.prefix(300)), tokens \(same), text \(decoded)") }
                }
            }
            #expect(differing == 0, "\(family): \(differing) of \(texts.count), seed \(random.seed)")
        }
    }

    @Test(.enabled(if: EngineInterop.has("tokenizers"), "needs OPENLEDGER_TEST_PYTHON, a Python with tokenizers"))
    func `Hugging Face's library reads the tokenizer that our trainer writes`() throws {
        let folder = try TemporaryFolder("tokenizers")
        let json = try BPETrainer(vocabularySize: 500, specialTokens: ["<|end|>"]).train([TestTokenizers.prose])
        try Data(json).write(to: URL(fileURLWithPath: folder.path("ours.json")))
        var random = Seed.generator()
        let texts = [TestTokenizers.prose] + (0..<200).map { _ in TestTokenizers.hostileText(&random) }
        try folder.write(texts.map { String(decoding: JSON.write(.string($0)), as: UTF8.self) }.joined(separator: "\n"), to: "texts.jsonl")
        let tokenizer = try Tokenizer(json: json)
        let ours = JSONValue.array(texts.map { .array(tokenizer.encode($0).map { .int(Int64($0)) }) })
        try folder.write(String(decoding: JSON.write(ours), as: UTF8.self), to: "tokens.json")
        try EngineInterop.script(
            "tokenizer_reading.py", [folder.path("ours.json"), folder.path("texts.jsonl"), folder.path("tokens.json")])
    }
}
