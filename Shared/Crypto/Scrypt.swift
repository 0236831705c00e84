internal import CCrypto

/// scrypt (RFC 7914): a key from a password, made slow and memory-hungry on purpose.
public enum Scrypt {
    /// Derives a key. Takes 128·N·r bytes of memory and, at the default, about 90 ms: never call it on the cooperative pool.
    /// - Parameter cost: N, a power of two above 1; RFC 7914 §2.
    public static func derive(
        password: [UInt8], salt: [UInt8], cost: Int = 1 << 15, blockSize: Int = 8, parallelism: Int = 1, count: Int = 32
    ) throws(CryptoError) -> [UInt8] {
        guard cost > 1, cost & (cost - 1) == 0, cost <= 1 << 20 else { throw .outOfRange(what: "scrypt cost \(cost)") }
        guard (1...64).contains(blockSize), (1...64).contains(parallelism) else {
            throw .outOfRange(what: "scrypt block size \(blockSize) or parallelism \(parallelism)")
        }
        guard (1...1024).contains(count) else { throw .outOfRange(what: "scrypt output length \(count)") }
        var out = [UInt8](repeating: 0, count: count)
        let status = password.withUnsafeBytes { bytes in
            EVP_PBE_scrypt(
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, salt, salt.count,
                UInt64(cost), UInt64(blockSize), UInt64(parallelism), 1 << 30, &out, count)
        }
        try check(status, "scrypt")
        return out
    }
}
