internal import Crypto
public import Events

/// Ids of things that services make: a prefix that says what it is, and 128 bits from what caused it.
public enum EntityID {
    /// `<prefix>_` and the first 16 bytes, in hexadecimal, of SHA-256(`openledger/entity` LF prefix LF cause LF ordinal).
    ///
    /// A cause is a command's id, which holds who sent it, or an event's id; so ids of different causes differ.
    public static func make(_ prefix: String, cause: Cause, ordinal: Int = 0) -> String {
        let digest = SHA256.hash(Array("openledger/entity\n\(prefix)\n\(cause.id)\n\(ordinal)".utf8))
        return prefix + "_" + Hex.encode(Array(digest.bytes.prefix(16)))
    }

    /// Whether a text has the form of such an id.
    public static func isWellFormed(_ text: String, prefix: String) -> Bool {
        text.hasPrefix(prefix + "_") && text.utf8.count == prefix.utf8.count + 33
            && text.utf8.dropFirst(prefix.utf8.count + 1).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
