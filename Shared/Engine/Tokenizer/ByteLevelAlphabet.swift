/// The 256 printable characters by which byte-level vocabularies write bytes (GPT-2's `bytes_to_unicode`).
enum ByteLevelAlphabet {
    /// The character of each byte: itself where it is printable, otherwise the next one from U+0100 on.
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            switch byte {
            case 33...126, 161...172, 174...255: return Unicode.Scalar(UInt8(byte))
            default:
                defer { next += 1 }
                return Unicode.Scalar(next) ?? " "
            }
        }
    }()

    /// The byte of each character up to U+0143; -1 where there is none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = Int16(byte) }
        return bytes
    }()

    /// The bytes that a text of these characters writes; nil when it holds another one.
    static func bytes(of text: String) -> [UInt8]? {
        var out: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard scalar.value < 0x144, let byte = UInt8(exactly: bytes[Int(scalar.value)]) else { return nil }
            out.append(byte)
        }
        return out
    }

    /// The text that writes these bytes.
    static func text(of bytes: some Sequence<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(scalars[Int(byte)]) }
        return String(text)
    }
}
