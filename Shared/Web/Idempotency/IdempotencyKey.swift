/// The value of an `Idempotency-Key` header field (draft-ietf-httpapi-idempotency-key-header-07 §2.1).
public struct IdempotencyKey: Sendable, Hashable, CustomStringConvertible {
    /// Most bytes of a key.
    public static let maximumLength = 255

    /// The key without quotes: 1 to 255 printable ASCII characters.
    public let text: String

    /// Reads a field value: a structured-field string (RFC 8941 §3.3.3), as the draft has it, or the same characters without quotes as
    /// many clients send them, then without blanks, quotes, commas and semicolons. Both spellings are one key.
    /// - Throws: `Problem` 400.
    public init(_ value: String) throws(Problem) {
        var bytes = Array(value.utf8)
        if bytes.first == UInt8(ascii: "\"") {
            guard bytes.count >= 2, bytes.last == UInt8(ascii: "\"") else { throw Self.invalid("has an opening quote and no closing one") }
            bytes = try Self.unescaped(bytes[1..<(bytes.count - 1)])
        } else {
            let forbidden: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\\")]
            guard !bytes.contains(where: { forbidden.contains($0) }) else {
                throw Self.invalid("must stand in double quotes when it has blanks, quotes, commas, semicolons or backslashes")
            }
        }
        guard !bytes.isEmpty else { throw Self.invalid("is empty") }
        guard bytes.count <= Self.maximumLength else { throw Self.invalid("is longer than \(Self.maximumLength) bytes") }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else { throw Self.invalid("has characters outside printable ASCII") }
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// The key.
    public var description: String { text }

    private static func unescaped(_ inner: ArraySlice<UInt8>) throws(Problem) -> [UInt8] {
        var out: [UInt8] = []
        var iterator = inner.makeIterator()
        while let byte = iterator.next() {
            switch byte {
            case UInt8(ascii: "\""): throw invalid("has a quote within it; one key is taken, without parameters")
            case UInt8(ascii: "\\"):
                guard let next = iterator.next(), next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
                    throw invalid("has a backslash that escapes neither a quote nor a backslash")
                }
                out.append(next)
            default: out.append(byte)
            }
        }
        return out
    }

    private static func invalid(_ why: String) -> Problem { Problem(.keyInvalid, "Idempotency-Key \(why)", field: "Idempotency-Key") }
}
