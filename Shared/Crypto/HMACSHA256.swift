internal import CCrypto

/// HMAC with SHA-256 (RFC 2104).
public enum HMACSHA256 {
    /// The authentication code of the message under the key; a key of any length, best 32 random bytes.
    public static func code(_ message: [UInt8], key: [UInt8]) -> Digest {
        Digest { out in
            var count: UInt32 = 32
            _ = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, out, &count)
        }
    }

    /// Whether the code is the message's, compared in constant time.
    public static func isValid(code: [UInt8], for message: [UInt8], key: [UInt8]) -> Bool {
        constantTimeEqual(Self.code(message, key: key).bytes, code)
    }
}
