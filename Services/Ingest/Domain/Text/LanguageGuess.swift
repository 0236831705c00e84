internal import CText
internal import Glibc

/// What language a text is in, as libcld2 sees it.
public struct LanguageGuess: Sendable, Hashable {
    /// BCP 47; `und` when unknown.
    public let code: String
    /// How much of the text is in it, in percent.
    public let percent: Int
    /// Whether the library calls the answer reliable.
    public let isReliable: Bool

    /// Looks at valid UTF-8; the first 16 KiB tell enough.
    public init(_ bytes: [UInt8]) {
        var count = min(bytes.count, 16_384)
        // The library takes half a character for no text at all.
        while count > 0, count < bytes.count, bytes[count] & 0xc0 == 0x80 { count -= 1 }
        var code = [CChar](repeating: 0, count: 8)
        var percent: Int32 = 0
        var reliable: Int32 = 0
        bytes.withUnsafeBufferPointer { text in
            ctext_language(text.baseAddress, count, &code, &percent, &reliable)
        }
        let text = String(decoding: code.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.code = text.isEmpty || text == "un" || reliable == 0 ? "und" : text
        self.percent = Int(percent)
        isReliable = reliable != 0
    }
}
