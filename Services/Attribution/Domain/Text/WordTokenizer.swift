/// Cuts text into words: the tokens that spans are measured in.
///
/// The rules are fixed here and ask no library for Unicode's tables, since a share may not change with a library's version:
/// - ASCII letters, digits and the underscore join into words, and so does every scalar from U+00AA on that no rule below names;
/// - spaces, line ends and control characters part words and are no tokens: a quote wrapped at another column is the same quote;
/// - other ASCII characters, punctuation and symbols are a token each;
/// - in scripts that put no spaces between words (Thai to Khmer, kana, ideographs) every scalar is a token;
/// - a byte that is not valid UTF-8 is a token of its own; a word longer than 64 bytes is cut there, between scalars.
///
/// So a span always begins and ends at a word's and a scalar's boundary.
public enum WordTokenizer {
    /// The longest word in bytes.
    public static let longestWord = 64

    /// Calls `body` with the range of bytes of each word, in order.
    public static func forEachWord(in text: UnsafeRawBufferPointer, _ body: (Range<Int>) -> Void) {
        var wordStart = -1
        var offset = 0
        while offset < text.count {
            let byte = text[offset]
            var length = 1
            let kind: Kind
            if byte < 0x80 {
                kind = asciiKinds[Int(byte)]
            } else if let (scalar, bytes) = decode(text, at: offset) {
                length = bytes
                kind = Kind(scalar)
            } else {
                kind = .single
            }
            switch kind {
            case .word:
                if wordStart < 0 {
                    wordStart = offset
                } else if offset + length - wordStart > longestWord {
                    body(wordStart..<offset)
                    wordStart = offset
                }
            case .single:
                if wordStart >= 0 { body(wordStart..<offset) }
                wordStart = -1
                body(offset..<offset + length)
            case .space:
                if wordStart >= 0 { body(wordStart..<offset) }
                wordStart = -1
            }
            offset += length
        }
        if wordStart >= 0 { body(wordStart..<text.count) }
    }

    private enum Kind {
        case word, single, space

        init(_ scalar: UInt32) {
            switch scalar {
            case 0x80...0xA0, 0xAD, 0x1680, 0x2000...0x200B, 0x2028, 0x2029, 0x202F, 0x205F...0x206F, 0x3000, 0xFEFF: self = .space
            case 0xAA, 0xB5, 0xBA, 0x200C, 0x200D: self = .word
            case 0xA1...0xBF, 0xD7, 0xF7: self = .single
            case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF: self = .single
            case 0x200E...0x2BFF, 0x2E00...0x31FF, 0x3200...0x9FFF: self = .single
            case 0xF900...0xFAFF, 0xFE10...0xFE6F, 0xFF00...0xFF0F, 0xFF1A...0xFF20, 0xFF3B...0xFF40, 0xFF5B...0xFFEF: self = .single
            case 0x1F000...0x1FBFF, 0x20000...0x3FFFF: self = .single
            default: self = .word
            }
        }
    }

    private static let asciiKinds: [Kind] = (0..<128).map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            .word
        case 0...32, 127: .space
        default: .single
        }
    }

    /// The scalar at an offset and how many bytes it takes; nil where the bytes are not valid UTF-8 (RFC 3629, section 4).
    private static func decode(_ text: UnsafeRawBufferPointer, at offset: Int) -> (UInt32, Int)? {
        let first = text[offset]
        let count: Int
        var scalar: UInt32
        let least: UInt32
        switch first {
        case 0xC2...0xDF: (count, scalar, least) = (2, UInt32(first & 0x1F), 0x80)
        case 0xE0...0xEF: (count, scalar, least) = (3, UInt32(first & 0x0F), 0x800)
        case 0xF0...0xF4: (count, scalar, least) = (4, UInt32(first & 0x07), 0x10000)
        default: return nil
        }
        guard offset + count <= text.count else { return nil }
        for index in 1..<count {
            let byte = text[offset + index]
            guard byte & 0xC0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
        }
        guard scalar >= least, scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else { return nil }
        return (scalar, count)
    }
}
