internal import CCrypto

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D): what it seals nobody reads or changes without the key.
public struct AESGCM: Sendable {
    private let key: [UInt8]

    /// 12: the nonce's size in bytes.
    public static let nonceCount = 12
    /// 16: the tag's size in bytes.
    public static let tagCount = 16
    /// The largest plaintext of one call: 1 GiB.
    public static let largestMessage = 1 << 30

    /// Takes a 32-byte key. One key may seal 2^32 messages with random nonces (SP 800-38D §8.3).
    public init(key: [UInt8]) throws(CryptoError) {
        guard key.count == 32 else { throw .wrongLength(what: "AES-256 key", expected: 32, actual: key.count) }
        self.key = key
    }

    /// Seals under a fresh random nonce: nonce ‖ ciphertext ‖ tag, 28 bytes more than the plaintext.
    /// - Parameter data: authenticated with the message, not stored in it; `open` needs the same.
    public func seal(_ plaintext: [UInt8], authenticating data: [UInt8] = []) throws(CryptoError) -> [UInt8] {
        try seal(plaintext, nonce: Random.bytes(Self.nonceCount), authenticating: data)
    }

    /// Seals under a nonce of the caller's. Two messages under one nonce and key give both away: prefer the other form.
    public func seal(_ plaintext: [UInt8], nonce: [UInt8], authenticating data: [UInt8] = []) throws(CryptoError) -> [UInt8] {
        guard nonce.count == Self.nonceCount else {
            throw .wrongLength(what: "AES-GCM nonce", expected: Self.nonceCount, actual: nonce.count)
        }
        guard plaintext.count <= Self.largestMessage, data.count <= Self.largestMessage else {
            throw .outOfRange(what: "message of \(plaintext.count) bytes")
        }
        guard let context = EVP_CIPHER_CTX_new() else { throw .drain("sealing") }
        defer { EVP_CIPHER_CTX_free(context) }
        try check(EVP_EncryptInit_ex2(context, Self.cipher.raw, key, nonce, nil), "sealing")
        var out = nonce + [UInt8](repeating: 0, count: plaintext.count + Self.tagCount)
        var written: Int32 = 0
        try check(EVP_EncryptUpdate(context, nil, &written, data, Int32(data.count)), "sealing")
        let status = out.withUnsafeMutableBufferPointer { buffer -> Int32 in
            guard let start = buffer.baseAddress else { return 0 }
            let text = start + Self.nonceCount
            guard EVP_EncryptUpdate(context, text, &written, plaintext, Int32(plaintext.count)) == 1,
                EVP_EncryptFinal_ex(context, text + plaintext.count, &written) == 1
            else { return 0 }
            return ccrypto_gcm_get_tag(context, text + plaintext.count)
        }
        try check(status, "sealing")
        return out
    }

    /// Opens what `seal` made. Throws ``CryptoError/notAuthentic`` when anything differs; no plaintext is given out then.
    public func open(_ sealed: [UInt8], authenticating data: [UInt8] = []) throws(CryptoError) -> [UInt8] {
        let count = sealed.count - Self.nonceCount - Self.tagCount
        guard count >= 0 else { throw .notAuthentic }
        guard count <= Self.largestMessage, data.count <= Self.largestMessage else {
            throw .outOfRange(what: "message of \(count) bytes")
        }
        guard let context = EVP_CIPHER_CTX_new() else { throw .drain("opening") }
        defer { EVP_CIPHER_CTX_free(context) }
        try check(EVP_DecryptInit_ex2(context, Self.cipher.raw, key, sealed, nil), "opening")
        // One byte more, so that an empty message too has an address to give.
        var out = [UInt8](repeating: 0, count: count + 1)
        var written: Int32 = 0
        try check(EVP_DecryptUpdate(context, nil, &written, data, Int32(data.count)), "opening")
        let status = sealed.withUnsafeBufferPointer { buffer -> Int32 in
            guard let start = buffer.baseAddress else { return 0 }
            var tag = Array(buffer[(Self.nonceCount + count)...])
            guard EVP_DecryptUpdate(context, &out, &written, start + Self.nonceCount, Int32(count)) == 1 else { return 0 }
            return ccrypto_gcm_set_tag(context, &tag)
        }
        try check(status, "opening")
        var none: UInt8 = 0
        guard EVP_DecryptFinal_ex(context, &none, &written) == 1 else {
            ERR_clear_error()
            out.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
            throw .notAuthentic
        }
        out.removeLast()
        return out
    }

    // Fetched once: an implicit fetch costs 200 ns a call.
    private static let cipher = Cipher()

    // Unchecked: a fetched EVP_CIPHER is immutable and reference-counted atomically; it lives as long as the process.
    private struct Cipher: @unchecked Sendable {
        let raw = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    }
}
