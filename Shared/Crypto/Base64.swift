/// Base64 with padding (RFC 4648 §4), strict: one text per value.
public enum Base64 {
    private static let code = Base64Code(last: "+/", padded: true)

    /// The padded text.
    public static func encode(_ bytes: [UInt8]) -> String { String(decoding: code.encode(bytes), as: UTF8.self) }

    /// Nil for foreign bytes (line ends too), missing or extra padding, and unused bits that are not zero.
    public static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)[...]) }

    /// The same for text at hand as bytes.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? { code.decode(text) }
}

/// Base64 for addresses, without padding (RFC 4648 §5, RFC 7515 §2), strict: one text per value.
public enum Base64URL {
    private static let code = Base64Code(last: "-_", padded: false)

    /// The text without padding.
    public static func encode(_ bytes: [UInt8]) -> String { String(decoding: code.encode(bytes), as: UTF8.self) }

    /// The same as bytes of ASCII.
    public static func encodedBytes(_ bytes: [UInt8]) -> [UInt8] { code.encode(bytes) }

    /// Nil for foreign bytes, padding, and unused bits that are not zero.
    public static func decode(_ text: String) -> [UInt8]? { decode(Array(text.utf8)[...]) }

    /// The same for text at hand as bytes.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? { code.decode(text) }
}

/// What the two alphabets share.
struct Base64Code: Sendable {
    private let alphabet: [UInt8]
    private let inverse: [UInt8]
    private let padded: Bool

    init(last: String, padded: Bool) {
        alphabet = Array(("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last).utf8)
        var inverse = [UInt8](repeating: 0xff, count: 256)
        for (value, letter) in alphabet.enumerated() { inverse[Int(letter)] = UInt8(value) }
        self.inverse = inverse
        self.padded = padded
    }

    func encode(_ bytes: [UInt8]) -> [UInt8] {
        let groups = bytes.count / 3
        var out = [UInt8](unsafeUninitializedCapacity: groups * 4 + 4) { buffer, count in
            alphabet.withUnsafeBufferPointer { alphabet in
                bytes.withUnsafeBufferPointer { bytes in
                    for group in 0..<groups {
                        let bits = Int(bytes[3 * group]) << 16 | Int(bytes[3 * group + 1]) << 8 | Int(bytes[3 * group + 2])
                        buffer[4 * group] = alphabet[bits >> 18]
                        buffer[4 * group + 1] = alphabet[bits >> 12 & 63]
                        buffer[4 * group + 2] = alphabet[bits >> 6 & 63]
                        buffer[4 * group + 3] = alphabet[bits & 63]
                    }
                }
            }
            count = groups * 4
        }
        // One or two bytes make two or three letters.
        let rest = bytes[(3 * groups)...]
        let bits = rest.reduce(0) { $0 << 8 | Int($1) } << (rest.count == 1 ? 4 : 2)
        for letter in (0..<(rest.isEmpty ? 0 : rest.count + 1)).reversed() { out.append(alphabet[bits >> (6 * letter) & 63]) }
        if padded { while !out.count.isMultiple(of: 4) { out.append(0x3d) } }
        return out
    }

    func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var text = text
        if padded {
            guard text.count.isMultiple(of: 4) else { return nil }
            if text.last == 0x3d { text.removeLast() }
            if text.last == 0x3d { text.removeLast() }
        }
        // One letter alone holds six bits: no byte.
        guard text.count % 4 != 1 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0, held: UInt32 = 0
        for letter in text {
            let value = inverse[Int(letter)]
            if value == 0xff { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> held))
            }
        }
        guard bits & (1 << held - 1) == 0 else { return nil }
        return out
    }
}
