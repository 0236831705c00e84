internal import Crypto

/// Writes and reads cursors: where the next page of a list begins. Callers see text that means nothing to them.
///
/// Base64url of: a version byte, the parts each behind its length, and a check of 16 bytes: HMAC-SHA256 over the list's name and all before
/// it. With a secret key a caller cannot make up cursors; without one the check still finds cursors of another list, cut or mistyped.
public struct CursorCodec: Sendable {
    /// Most bytes of a cursor's text.
    public static let maximumLength = 1024

    private static let version: UInt8 = 1
    private let list: String
    private let key: [UInt8]

    /// - Parameters:
    ///   - list: the list's name, such as the route's operation id: a cursor of one list is none of another.
    ///   - key: a secret shared by all processes that serve the list; empty when cursors may be made by anyone.
    public init(list: String, key: [UInt8] = []) {
        self.list = list
        self.key = key
    }

    /// The cursor for a place in the list: the sort keys of the last item, say.
    public func encode(_ parts: [String]) -> String {
        var bytes: [UInt8] = [Self.version]
        for part in parts {
            let count = part.utf8.count
            bytes += [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
            bytes += part.utf8
        }
        bytes += check(bytes)
        return Base64URL.encode(bytes)
    }

    /// The parts of a cursor.
    /// - Parameter field: the query parameter it came in, for the error.
    /// - Throws: `Problem` 400 for whatever `encode` of this list has not made.
    public func decode(_ cursor: String, field: String = "cursor") throws(Problem) -> [String] {
        guard cursor.utf8.count <= Self.maximumLength, let bytes = Base64URL.decode(cursor), bytes.count > 16,
            bytes[0] == Self.version, constantTimeEqual(check(Array(bytes.dropLast(16))), Array(bytes.suffix(16))),
            let parts = Self.parts(bytes.dropFirst().dropLast(16))
        else { throw Problem(.badQuery, "\(field) is no cursor of this list; begin without one", field: field) }
        return parts
    }

    private func check(_ bytes: [UInt8]) -> [UInt8] {
        Array(HMACSHA256.code(Array(list.utf8) + [0] + bytes, key: key).bytes.prefix(16))
    }

    private static func parts(_ bytes: ArraySlice<UInt8>) -> [String]? {
        var rest = bytes
        var parts: [String] = []
        while let high = rest.popFirst() {
            guard let low = rest.popFirst() else { return nil }
            let count = Int(high) << 8 | Int(low)
            guard rest.count >= count, let text = String(validating: rest.prefix(count), as: UTF8.self) else { return nil }
            parts.append(text)
            rest = rest.dropFirst(count)
        }
        return parts
    }
}
