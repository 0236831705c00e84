public import Crypto

/// An event's id: a UUIDv8 (RFC 9562 §5.8) made from what caused the event, so the same cause always makes the same ids.
public struct EventID: Sendable, Hashable, CustomStringConvertible {
    /// 36 characters, lower case.
    public let text: String
    /// The id as text.
    public var description: String { text }

    /// The id of the `ordinal`-th event (from 0) of one append: the first 16 bytes of
    /// SHA-256(`openledger/event` LF cause id LF type LF ordinal), with the version and variant bits of a UUIDv8.
    public init(cause: String, type: String, ordinal: Int) {
        text = UUIDText.version8(of: SHA256.hash(Array("openledger/event\n\(cause)\n\(type)\n\(ordinal)".utf8)))
    }

    /// An id from its text; nil unless it is a UUID in lower case.
    public init?(_ text: String) {
        guard UUIDText.isWellFormed(Array(text.utf8)[...]) else { return nil }
        self.text = text
    }
}

/// The text form of UUIDs.
public enum UUIDText {
    /// A UUIDv8 whose bits are the first 128 of a digest.
    public static func version8(of digest: Digest) -> String {
        var bytes = Array(digest.bytes.prefix(16))
        bytes[6] = (bytes[6] & 0x0F) | 0x80
        bytes[8] = (bytes[8] & 0x3F) | 0x80
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(hexDigit(byte >> 4))
            text.append(hexDigit(byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether these are the 36 bytes of a UUID in lower case.
    public static func isWellFormed(_ utf8: ArraySlice<UInt8>) -> Bool {
        guard utf8.count == 36 else { return false }
        for (offset, byte) in utf8.enumerated() {
            if offset == 8 || offset == 13 || offset == 18 || offset == 23 {
                guard byte == UInt8(ascii: "-") else { return false }
            } else {
                guard (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66) else { return false }
            }
        }
        return true
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
