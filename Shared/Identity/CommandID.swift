internal import Crypto

/// How a command is named: by who calls and the key that the caller chose, so that two callers never share an id, and one caller has
/// the same id again for the same key.
public enum CommandID {
    /// A UUIDv8 (RFC 9562 §5.8) in lower case from the first 128 bits of SHA-256 over `openledger/command` NUL issuer NUL subject NUL key,
    /// none of which can hold a NUL.
    public static func make(issuer: String, subject: String, key: String) -> String {
        var bytes = Array(SHA256.hash(utf8: ["openledger/command", issuer, subject, key].joined(separator: "\0")).bytes.prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += Hex.encode([byte])
        }
        return text
    }
}
