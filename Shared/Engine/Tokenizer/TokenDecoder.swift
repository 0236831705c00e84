/// Turns tokens into text as they come. No piece ever holds half a character: bytes wait until their character is whole. All
/// pieces together are what ``Tokenizer/decode(_:skippingSpecialTokens:)`` gives.
public struct TokenDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    private var pending: [UInt8] = []
    private var isFirst = true
    private var blanksToStrip: Int

    init(_ tokenizer: Tokenizer, skipsSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        self.skipsSpecialTokens = skipsSpecialTokens
        blanksToStrip = tokenizer.decoding.leadingBlanksStripped
    }

    /// The text that is complete with this token; often empty, as within a character of several tokens. A token beyond the
    /// vocabulary has no text.
    public mutating func append(_ token: Int32) -> String {
        push(token)
        let whole = pending.count - Self.unfinishedBytes(pending)
        guard whole > 0 else { return "" }
        let text = String(decoding: pending[..<whole], as: UTF8.self)
        pending.removeFirst(whole)
        return text
    }

    /// The rest: a replacement character when the last token left a character unfinished. The decoder then begins anew.
    public mutating func finish() -> String {
        defer { self = TokenDecoder(tokenizer, skipsSpecialTokens: skipsSpecialTokens) }
        return String(decoding: pending, as: UTF8.self)
    }

    private mutating func push(_ token: Int32) {
        guard token >= 0, token < tokenizer.vocabularySize, !(skipsSpecialTokens && tokenizer.isSpecial(token)) else { return }
        var bytes = tokenizer.tokenBytes[Int(token)]
        if isFirst, tokenizer.decoding.firstTokenLosesBlanks {
            for byte in bytes where byte != UInt8(ascii: " ") { pending.append(byte) }
            isFirst = false
            return
        }
        isFirst = false
        while blanksToStrip > 0, let first = bytes.first {
            guard first == UInt8(ascii: " ") else {
                blanksToStrip = 0
                break
            }
            bytes = bytes.dropFirst()
            blanksToStrip -= 1
        }
        pending += bytes
    }

    /// How many bytes at the end begin a character that may still become whole.
    static func unfinishedBytes(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let lead = bytes[bytes.count - back]
            if lead & 0xc0 == 0x80 { continue }
            let length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
            guard back < length, (0xc2...0xf4).contains(lead) else { return 0 }
            // Some leads allow only a part of the second bytes (RFC 3629 §4): others will never become a character.
            if back > 1 {
                let second = bytes[bytes.count - back + 1]
                switch lead {
                case 0xe0 where second < 0xa0, 0xed where second > 0x9f, 0xf0 where second < 0x90, 0xf4 where second > 0x8f: return 0
                default: break
                }
            }
            return back
        }
        return 0
    }
}
