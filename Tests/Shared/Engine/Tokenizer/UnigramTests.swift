import TestSupport
import Testing

@testable import Engine

/// Unigram models, by hand.
struct UnigramTests {
    private func file(_ vocabulary: String, unknown: String = "0", more: String = "") -> String {
        #"{"version":"1.0","model":{"type":"Unigram","unk_id":\#(unknown),"vocab":[\#(vocabulary)]\#(more)},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},"decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}}"#
    }

    private func tokens(_ text: String, _ json: String) throws -> [Int32] { try Tokenizer(json: Array(json.utf8)).encode(text) }

    private let few = #"["<unk>",0],["▁",-2],["a",-3],["b",-3],["ab",-5],["▁ab",-7.5],["abb",-7]"#

    @Test func theTokensWhoseScoresAddUpToMostAreTaken() throws {
        // ▁ + ab is -7, ▁ + a + b is -8, ▁ab is -7.5.
        #expect(try tokens("ab", file(few)) == [1, 4])
        // ▁ + abb is -9, ▁ + ab + b is -10.
        #expect(try tokens("abb", file(few)) == [1, 6])
        #expect(try tokens("ab b", file(few)) == [1, 4, 1, 3])
        #expect(try tokens("", file(few)).isEmpty)
        #expect(try Tokenizer(json: Array(file(few).utf8)).decode([1, 4, 1, 3]) == "ab b")
    }

    @Test func whatIsNoTokenIsUnknownOnceOrItsBytes() throws {
        #expect(try tokens("acéd", file(few)) == [1, 2, 0])
        #expect(try tokens("cad", file(few)) == [1, 0, 2, 0])
        let bytes = (0..<256).map { value -> String in
            let hex = String(value, radix: 16, uppercase: true)
            return "[\"<0x\(hex.count == 1 ? "0" : "")\(hex)>\",-9]"
        }.joined(separator: ",")
        let fallback = file(few + "," + bytes, more: #","byte_fallback":true"#)
        #expect(try tokens("aé", fallback) == [1, 2, 7 + 0xC3, 7 + 0xA9])
    }

    @Test(arguments: [
        ("[\"a\",-1],[\"a\",-2]", "0"), ("", "0"), ("[\"a\",-1]", "1"), ("[\"a\",-1]", "null"), ("[\"a\"]", "0"), ("[\"a\",\"b\"]", "0"),
        ("[\"\",-1]", "0"), ("[\"a\",-1,2]", "0"), ("\"a\"", "0"), ("[\"a\",1e999]", "0"),
    ])
    func brokenVocabulariesAreRefused(_ vocabulary: String, _ unknown: String) {
        #expect(throws: FormatError.self) { try tokens("a", file(vocabulary, unknown: unknown)) }
    }

    @Test func aLongWordTakesTimeInProportion() throws {
        let word = String(repeating: "ab", count: 100_000)
        #expect(try tokens(word, file(few)).count > 50_000)
    }
}
