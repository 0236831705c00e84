/// Recursive length prefix, the form of Ethereum's transactions (Yellow Paper, appendix B).
public enum RLP: Sendable, Hashable {
    /// Bytes.
    case bytes([UInt8])
    /// A list.
    case list([RLP])

    /// A number: its bytes without zeros before them; none for zero.
    public static func number(_ value: UInt128) -> RLP { .bytes(Array(Word(value).bytes.drop { $0 == 0 })) }

    /// The encoding.
    public var encoded: [UInt8] {
        switch self {
        case .bytes(let bytes):
            if bytes.count == 1, bytes[0] < 0x80 { return bytes }
            return Self.head(bytes.count, 0x80) + bytes
        case .list(let items):
            let body = items.flatMap(\.encoded)
            return Self.head(body.count, 0xc0) + body
        }
    }

    private static func head(_ count: Int, _ base: UInt8) -> [UInt8] {
        if count < 56 { return [base + UInt8(count)] }
        let length = Array(Word(UInt128(count)).bytes.drop { $0 == 0 })
        return [base + 55 + UInt8(length.count)] + length
    }
}
