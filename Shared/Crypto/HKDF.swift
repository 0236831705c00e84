internal import CCrypto

/// HKDF with SHA-256 (RFC 5869): several keys from one secret that is already strong.
public enum HKDF {
    /// Derives `count` bytes, at most 8,160.
    /// - Parameter info: what the key is for; another text gives an unrelated key.
    public static func derive(
        _ secret: [UInt8], salt: [UInt8] = [], info: [UInt8], count: Int = 32
    ) throws(CryptoError) -> [UInt8] {
        guard (1...8160).contains(count) else { throw .outOfRange(what: "HKDF output length \(count)") }
        var out = [UInt8](repeating: 0, count: count)
        try check(
            ccrypto_hkdf_sha256(secret, secret.count, salt, salt.count, info, info.count, &out, count), "HKDF")
        return out
    }
}
