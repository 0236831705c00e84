/// The name of a stream: `<kind>/<id>`, such as `account/acme`. Its kind belongs to one service.
public struct StreamName: Sendable, Hashable, CustomStringConvertible {
    /// At most this many bytes in a name.
    public static let maximumBytes = 200

    /// The whole name.
    public let text: String
    /// What stands before the first slash.
    public var kind: Substring { text.prefix { $0 != "/" } }
    /// The name itself.
    public var description: String { text }

    /// At most this many parts in an id, between slashes.
    public static let maximumParts = 32

    /// A name from its text; nil unless it is `<kind>/<id>`, the kind of `a-z`, `0-9` and `-`, the id of visible ASCII without
    /// quote and backslash. The id may have slashes, with something other than `.` and `..` between them, so that every stream
    /// has a path of its own in a URL.
    public init?(_ text: String) {
        guard Self.isWellFormed(Array(text.utf8)[...]) else { return nil }
        self.text = text
    }

    /// A name from text that has been found to be one.
    init(wellFormed text: String) { self.text = text }

    /// A name from its two parts.
    public init?(kind: String, id: String) { self.init(kind + "/" + id) }

    static func isWellFormed<Bytes: RandomAccessCollection>(_ utf8: Bytes) -> Bool where Bytes.Element == UInt8, Bytes.Index == Int {
        guard utf8.count <= maximumBytes, let slash = utf8.firstIndex(of: UInt8(ascii: "/")), slash > utf8.startIndex,
            slash + 1 < utf8.endIndex
        else { return false }
        let kind = utf8[..<slash]
        let id = utf8[(slash + 1)...]
        return kind.allSatisfy { ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2D }
            && id.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C } && hasParts(id)
    }

    private static func hasParts(_ id: some Sequence<UInt8>) -> Bool {
        var parts = 1
        var length = 0
        var onlyDots = true
        for byte in id {
            if byte == UInt8(ascii: "/") {
                if onlyDots, length < 3 { return false }
                parts += 1
                length = 0
                onlyDots = true
            } else {
                length += 1
                if byte != UInt8(ascii: ".") { onlyDots = false }
            }
        }
        return parts <= maximumParts && !(onlyDots && length < 3)
    }
}
