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
        text = UUIDText.version8(of: Self.digest(cause: cause, type: type, ordinal: ordinal))
    }

    /// Whether this is the id that cause, type and ordinal make. Makes no text: it is asked for every event that is appended
    /// or audited.
    public func isMade(from cause: String, type: String, ordinal: Int) -> Bool {
        UUIDText.isVersion8(text, of: Self.digest(cause: cause, type: type, ordinal: ordinal))
    }

    private static func digest(cause: String, type: String, ordinal: Int) -> Digest {
        var source: [UInt8] = []
        source.reserveCapacity(32 + cause.utf8.count + type.utf8.count)
        source.append(contentsOf: "openledger/event\n".utf8)
        source.append(contentsOf: cause.utf8)
        source.append(0x0A)
        source.append(contentsOf: type.utf8)
        source.append(0x0A)
        source.append(contentsOf: String(ordinal).utf8)
        return SHA256.hash(source)
    }

    /// An id from text that has been found to be a UUID in lower case.
    init(wellFormed text: String) { self.text = text }

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
        var text: [UInt8] = []
        text.reserveCapacity(36)
        forEachCharacter(of: digest) {
            text.append($0)
            return true
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a text is the UUIDv8 of a digest.
    static func isVersion8(_ text: String, of digest: Digest) -> Bool {
        guard text.utf8.count == 36 else { return false }
        var characters = text.utf8.makeIterator()
        var isSame = true
        forEachCharacter(of: digest) {
            isSame = characters.next() == $0
            return isSame
        }
        return isSame
    }

    /// The 36 characters one after another, until `body` says that it has seen enough.
    private static func forEachCharacter(of digest: Digest, _ body: (UInt8) -> Bool) {
        digest.withUnsafeBytes { bytes in
            for index in 0..<16 {
                var byte = bytes[index]
                if index == 6 { byte = (byte & 0x0F) | 0x80 }
                if index == 8 { byte = (byte & 0x3F) | 0x80 }
                if index == 4 || index == 6 || index == 8 || index == 10, !body(UInt8(ascii: "-")) { return }
                if !body(hexDigit(byte >> 4)) || !body(hexDigit(byte & 15)) { return }
            }
        }
    }

    /// Whether these are the 36 bytes of a UUID in lower case.
    public static func isWellFormed(_ utf8: ArraySlice<UInt8>) -> Bool { isUUID(utf8) }

    static func isUUID<Bytes: RandomAccessCollection>(_ utf8: Bytes) -> Bool where Bytes.Element == UInt8, Bytes.Index == Int {
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

    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
