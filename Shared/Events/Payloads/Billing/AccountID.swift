internal import Glibc
public import JSON
public import Money

/// The name of an account: `<kind>:<owner>`, such as `payer:acme` or `pending:contributor:alice`. An account has a balance of
/// its own in each asset.
public struct AccountID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The whole name.
    public let text: String

    /// At most this many bytes.
    public static let maximumBytes = 200

    /// A name from its text; nil unless the kind is of `a-z` and `-` and the owner of visible ASCII without quote and backslash.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= Self.maximumBytes, let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon != bytes.startIndex,
            bytes.index(after: colon) != bytes.endIndex,
            bytes[..<colon].allSatisfy({ ($0 >= 0x61 && $0 <= 0x7A) || $0 == 0x2D }),
            bytes[colon...].allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C })
        else { return nil }
        self.text = text
    }

    /// A name that is known to be well-formed, such as one put together from parts that are.
    public init(trusted text: String) { self.text = text }

    /// What stands before the first colon.
    public var kind: Substring { text[..<colon] }
    /// What stands after it.
    public var owner: Substring {
        let colon = colon
        return colon == text.endIndex ? text[colon...] : text[text.utf8.index(after: colon)...]
    }

    /// By bytes: to walk characters takes many times as long.
    private var colon: String.Index { text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex }

    /// Whether what stands before the first colon is these bytes.
    public func isOfKind(_ name: StaticString) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            let count = name.utf8CodeUnitCount
            guard bytes.count > count, bytes[count] == UInt8(ascii: ":"), let start = bytes.baseAddress else { return false }
            return memcmp(start, name.utf8Start, count) == 0
        }
    }
    /// The name itself.
    public var description: String { text }

    /// In the order of their bytes: the tie-break of every split.
    public static func < (left: AccountID, right: AccountID) -> Bool { ByteOrder.precedes(left.text, right.text) }
}

extension JSONFields {
    /// An account.
    public func account(_ name: String) throws(JSONFieldError) -> AccountID {
        let field = try field(name)
        guard let account = AccountID(try field.string(bytes: 1...AccountID.maximumBytes)) else {
            throw field.error("must be <kind>:<owner>, such as payer:acme")
        }
        return account
    }

    /// An asset.
    public func asset(_ name: String) throws(JSONFieldError) -> Asset { try Asset(json: try field(name)) }
}
