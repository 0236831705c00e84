internal import CText
internal import Glibc

/// Normalization Form C of Unicode (UAX #15) by libutf8proc. Foundation's own is wrong for Hangul and for characters
/// beyond the first plane, and nothing may be hashed or compared on it.
public enum UnicodeText {
    /// The text in Normalization Form C; nil when the bytes are not valid UTF-8.
    public static func nfc(_ bytes: [UInt8]) -> [UInt8]? {
        // Plain ASCII is in every normal form.
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes }
        var count = 0
        guard let result = bytes.withUnsafeBufferPointer({ ctext_nfc($0.baseAddress, $0.count, &count) }) else { return nil }
        defer { free(result) }
        return Array(UnsafeBufferPointer(start: result, count: count))
    }

    /// The text in Normalization Form C.
    public static func nfc(_ text: String) -> String {
        guard let bytes = nfc(Array(text.utf8)) else { return text }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first byte that is not part of valid UTF-8 (RFC 3629: no surrogates, no overlong forms); nil when all is valid.
    public static func firstInvalid(_ bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                let lead = bytes[index]
                if lead < 0x80 {
                    index += 1
                    continue
                }
                let (count, low, high): (Int, UInt8, UInt8)
                switch lead {
                case 0xc2...0xdf: (count, low, high) = (2, 0x80, 0xbf)
                case 0xe0: (count, low, high) = (3, 0xa0, 0xbf)
                case 0xe1...0xec, 0xee, 0xef: (count, low, high) = (3, 0x80, 0xbf)
                case 0xed: (count, low, high) = (3, 0x80, 0x9f)
                case 0xf0: (count, low, high) = (4, 0x90, 0xbf)
                case 0xf1...0xf3: (count, low, high) = (4, 0x80, 0xbf)
                case 0xf4: (count, low, high) = (4, 0x80, 0x8f)
                default: return index
                }
                guard index + count <= bytes.count, bytes[index + 1] >= low, bytes[index + 1] <= high else { return index }
                for place in 2..<max(count, 2) where bytes[index + place] & 0xc0 != 0x80 { return index }
                index += count
            }
            return nil
        }
    }
}
