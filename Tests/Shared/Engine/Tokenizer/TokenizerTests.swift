import Engine
import Foundation
import JSON
import TestSupport
import Testing

/// Text to tokens and back.
struct TokenizerTests {
    @Test func `what is encoded decodes to the same composed text`() throws {
        let tokenizer = try TestTokenizers.trained()
        var random = Seed.generator()
        for _ in 0..<400 {
            // The standard library's own == does not put the parts of this vowel in order; the next test does.
            let text = String(String.UnicodeScalarView(TestTokenizers.hostileText(&random).unicodeScalars.filter { $0 != "\u{f73}" }))
            for reads in [true, false] {
                let back = tokenizer.decode(tokenizer.encode(text, readingSpecialTokens: reads))
                // Composition changes bytes and nothing that Swift's == sees.
                #expect(back == text, "seed \(random.seed)")
            }
        }
    }

    @Test func `text is composed as Unicode says, also where the standard library does not`() throws {
        let tokenizer = try TestTokenizers.trained()
        for (text, composed) in [
            ("e\u{301}", "\u{e9}"), ("\u{f73}\u{f73}", "\u{f71}\u{f71}\u{f72}\u{f72}"), ("\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
            ("\u{212b}", "\u{c5}"), ("a\u{f75}\u{f81}", "a\u{f71}\u{f71}\u{f80}\u{f74}"), ("\u{fb01}", "\u{fb01}"),
        ] {
            let scalars = tokenizer.decode(tokenizer.encode(text)).unicodeScalars.map(\.value)
            #expect(scalars == composed.unicodeScalars.map(\.value), "\(scalars)")
        }
    }

    @Test func `tokens decoded one by one give the same text, never half a character`() throws {
        let tokenizer = try TestTokenizers.trained()
        var random = Seed.generator()
        for round in 0..<400 {
            // Every second round feeds tokens that no text has, so that bytes are no UTF-8.
            let tokens =
                round % 2 == 0
                ? tokenizer.encode(TestTokenizers.hostileText(&random))
                : (0..<30).map { _ in Int32.random(in: 0..<Int32(tokenizer.vocabularySize), using: &random) }
            var decoder = tokenizer.decoder(skippingSpecialTokens: false), pieces: [String] = []
            for token in tokens { pieces.append(decoder.append(token)) }
            if round % 2 == 0 { for piece in pieces { #expect(!piece.unicodeScalars.contains("\u{fffd}"), "seed \(random.seed)") } }
            pieces.append(decoder.finish())
            #expect(Array(pieces.joined().utf8) == Array(tokenizer.decode(tokens).utf8), "seed \(random.seed)")
            let bytes = tokens.flatMap { tokenizer.bytes(of: $0) ?? [] }
            #expect(Array(String(decoding: bytes, as: UTF8.self).utf8) == Array(pieces.joined().utf8))
        }
    }

    @Test func `a special token in the text of strangers is letters`() throws {
        let tokenizer = try TestTokenizers.trained()
        let end = try #require(tokenizer.id(of: "<|end|>"))
        #expect(tokenizer.encode("a<|end|>b").contains(end))
        let letters = tokenizer.encode("a<|end|>b", readingSpecialTokens: false)
        #expect(!letters.contains(end) && tokenizer.decode(letters) == "a<|end|>b")
        #expect(tokenizer.decode([end, letters[0]], skippingSpecialTokens: true) == "a")
    }

    @Test func `long words without blanks take no quadratic time and the same tokens as short ones`() throws {
        let tokenizer = try TestTokenizers.trained()
        let long = String(repeating: "people", count: 3_000)
        let tokens = tokenizer.encode(long)
        #expect(tokenizer.decode(tokens) == long)
        let one = tokenizer.encode("people"), ten = tokenizer.encode(String(repeating: "people", count: 10))
        #expect(ten.count <= 10 * one.count && tokens.count <= 3_000 * one.count)
    }

    @Test func `an unknown token decodes to nothing, and a model with too few embeddings is refused`() throws {
        let tokenizer = try TestTokenizers.trained()
        #expect(tokenizer.decode([-1, .max, Int32(tokenizer.vocabularySize)]) == "")
        #expect(tokenizer.bytes(of: -1) == nil)
        let small = ModelConfiguration(
            vocabularySize: tokenizer.vocabularySize - 1, hiddenSize: 8, intermediateSize: 8, layerCount: 1, headCount: 1,
            keyValueHeadCount: 1,
            contextLength: 8)
        #expect(throws: FormatError.self) { try tokenizer.requireFit(small) }
    }

    /// A file of few tokens, with one member of it changed.
    private func file(_ changes: [(path: [String], value: JSONValue)]) throws -> [UInt8] {
        let bytes = try BPETrainer(vocabularySize: 258, specialTokens: ["<|end|>"]).train(["aa aa"])
        var document = try JSON.parse(bytes)
        func set(_ value: inout JSONValue, _ path: ArraySlice<String>, _ new: JSONValue) {
            guard let key = path.first else { return value = new }
            guard case .object(var object) = value else { return }
            var inner = object[key] ?? .null
            set(&inner, path.dropFirst(), new)
            object[key] = inner
            value = .object(object)
        }
        for (path, new) in changes { set(&document, path[...], new) }
        return JSON.write(document)
    }

    @Test(
        arguments: [
            (["model", "type"], "Unigram", "/model/"), (["model", "type"], "WordPiece", "WordPiece"),
            (["model", "dropout"], 0.1, "dropout"), (["model", "end_of_word_suffix"], "</w>", "end_of_word_suffix"),
            (["model", "merges"], [["a", "zz"]], "merges/0"), (["model", "merges"], ["a a", "a a"], "twice"),
            (["model", "merges"], ["aaa"], "two tokens"),
            (["model", "vocab"], ["a": 5], "byte"), (["model", "vocab"], ["a": 0, "b": 0], "twice"), (["model", "vocab"], ["a": -1], "-1"),
            (["model", "vocab"], ["a": 9_999_999], "9999999"), (["model", "vocab"], [["a", -1.5]], "Unigram"),
            (["normalizer"], ["type": "NFKC"], "NFKC"), (["normalizer"], ["type": "Precompiled"], "Precompiled"),
            (["pre_tokenizer"], ["type": "BertPreTokenizer"], "BertPreTokenizer"),
            (["pre_tokenizer"], ["type": "Split", "pattern": ["Regex": "\\w+"], "behavior": "Isolated", "invert": false], "pattern"),
            (["pre_tokenizer"], .null, "decoder"), (["decoder"], .null, "decoder"), (["decoder"], ["type": "WordPiece"], "WordPiece"),
            (["post_processor"], ["type": "BertProcessing"], "BertProcessing"),
            (["added_tokens"], [["id": 5, "content": "<|end|>"]], "otherwise"),
            (["added_tokens"], [["id": 400, "content": ""]], "content"),
            (["added_tokens"], [["id": 400, "content": "x1"], ["id": 401, "content": "x1"]], "twice"), (["model", "what"], 1, "what"),
        ] as [([String], JSONValue, String)])
    func `a file that asks for something else is refused by name`(path: [String], value: JSONValue, reason: String) throws {
        _ = try Tokenizer(json: try file([]))
        let error = #expect(throws: FormatError.self) { try Tokenizer(json: try file([(path, value)])) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `a mutated file is refused or makes a tokenizer that works`() throws {
        var random = Seed.generator()
        let sound = try file([])
        for _ in 0..<150 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 32...126, using: &random)
            }
            if let tokenizer = try? Tokenizer(json: bytes) { _ = tokenizer.decode(tokenizer.encode("aa é <|end|>")) }
        }
    }
}
