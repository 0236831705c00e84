import TestSupport
import Testing

@testable import AttributionDomain

@Suite struct TextTests {
    func cut(_ bytes: [UInt8]) throws -> [String] {
        let text = try WordSequence(bytes)
        return text.ranges.map { String(decoding: text.bytes[$0], as: UTF8.self) }
    }

    @Test func wordsArePartedBySpacesAndPunctuation() throws {
        #expect(
            try cut(Array("Don't stop,\n\tit's 3.14_x!".utf8)) == ["Don", "'", "t", "stop", ",", "it", "'", "s", "3", ".", "14_x", "!"])
        #expect(try cut(Array("naïve Straße\u{A0}für “Übung”…".utf8)) == ["naïve", "Straße", "für", "“", "Übung", "”", "…"])
        #expect(try cut(Array("東京タワー한국어 ไทย😀ab".utf8)) == ["東", "京", "タ", "ワ", "ー", "한국어", "ไ", "ท", "ย", "😀", "ab"])
        #expect(try cut([]) == [])
    }

    @Test func everyTextIsCutAtScalarsAndNoByteIsLost() throws {
        var generator = Seed.generator()
        for _ in 0..<300 {
            let scalars = (0..<40).compactMap { _ in
                UnicodeScalar(UInt32.random(in: 0...0x10FFFF, using: &generator) >> UInt32.random(in: 0...13, using: &generator))
            }
            let bytes = Array(String(String.UnicodeScalarView(scalars)).utf8)
            let text = try WordSequence(bytes)
            var end = 0
            for range in text.ranges {
                #expect(range.lowerBound >= end && range.count > 0 && range.count <= 64)
                #expect(String(validating: bytes[range], as: UTF8.self) != nil)
                #expect(String(validating: bytes[end..<range.lowerBound], as: UTF8.self) != nil)
                end = range.upperBound
            }
        }
    }

    @Test func bytesThatAreNoTextAreWordsOfOneByte() throws {
        let bytes: [UInt8] = [0x61, 0xFF, 0xC0, 0x80, 0xED, 0xA0, 0x80, 0xF4, 0x90, 0x80, 0x80, 0xE4, 0xBD, 0x62]
        let text = try WordSequence(bytes)
        #expect(text.ranges.count == bytes.count)
        var generator = Seed.generator()
        for _ in 0..<200 { _ = try WordSequence(generator.bytes(200)) }
    }

    @Test func longWordsAreCutAndLongTextsRefused() throws {
        let text = try WordSequence(String(repeating: "é", count: 100))
        #expect(text.ranges.map(\.count) == [64, 64, 64, 8])
        #expect(throws: AttributionError.textTooLong(bytes: 11, limit: 10)) { try WordSequence("hello world", limit: 10) }
    }

    /// The vectors of SipHash's authors: key 00…0f, messages 00, 00 01, …; the 128-bit output.
    @Test func wordHashesAreSipHash() {
        let key = WordKey(k0: 0x0706_0504_0302_0100, k1: 0x0f0e_0d0c_0b0a_0908)
        func hash(_ count: Int) -> [UInt8] {
            let message = (0..<count).map { UInt8($0) }
            let hash = message.withUnsafeBytes { WordHash($0, key: key) }
            return withUnsafeBytes(of: hash.high.littleEndian) { Array($0) } + withUnsafeBytes(of: hash.low.littleEndian) { Array($0) }
        }
        #expect(hash(0) == [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93])
        #expect(hash(1) == [0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45])
        #expect(hash(15) == [0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9])
    }

    @Test func noveltyNamesTheEarliestOfNearDuplicates() throws {
        var novelty = Novelty()
        let first = novelty.add(id: "a", try WordSequence(words(0..<100)))
        #expect(first == Novelty.Finding(head: nil, tokens: 100, uniqueTokens: 100))
        let copy = novelty.add(id: "b", try WordSequence(words(0..<100)))
        #expect(copy.head == "a" && copy.uniqueTokens == 0)
        let near = novelty.add(id: "c", try WordSequence(words(0..<96) + " and four more words"))
        #expect(near.head == "a" && near.uniqueTokens > 0)
        let quoting = novelty.add(id: "d", try WordSequence(words(0..<40) + " " + words(200..<300)))
        #expect(quoting.head == nil)
        let repeating = novelty.add(id: "e", try WordSequence(Array(repeating: words(400..<420), count: 10).joined(separator: " ")))
        #expect(repeating.head == nil && repeating.uniqueTokens < 40 && repeating.tokens == 200)
        #expect(novelty.add(id: "f", try WordSequence("")) == Novelty.Finding(head: nil, tokens: 0, uniqueTokens: 0))
    }
}
