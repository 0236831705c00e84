/// Writes bytes that come in pieces as Base64 (RFC 4648 §4): the pieces' texts, one after another, are the text of all of them.
public struct Base64Stream: Sendable {
    /// Bytes that make no whole group of three yet.
    private var rest: [UInt8] = []

    /// Before the first piece.
    public init() {}

    /// The text that is complete with this piece.
    public mutating func add(_ piece: [UInt8]) -> [UInt8] {
        let bytes = rest + piece
        let whole = bytes.count - bytes.count % 3
        rest = Array(bytes[whole...])
        return Array(Base64.encode(Array(bytes[..<whole])).utf8)
    }

    /// The text of what is left, with its padding.
    public mutating func finish() -> [UInt8] {
        defer { rest = [] }
        return Array(Base64.encode(rest).utf8)
    }
}
