internal import CCrypto

/// SHA-256 of bytes that come in pieces. Owned by one task at a time; it can be used again after ``finish()``.
public final class SHA256Hasher {
    private let context = UnsafeMutablePointer<SHA256_CTX>.allocate(capacity: 1)

    /// Starts with no bytes.
    public init() { SHA256_Init(context) }

    deinit {
        // What was hashed may have been a secret.
        OPENSSL_cleanse(context, MemoryLayout<SHA256_CTX>.size)
        context.deallocate()
    }

    /// Adds bytes.
    public func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { _ = SHA256_Update(context, $0.baseAddress, $0.count) }
    }

    /// Adds bytes.
    public func update(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { _ = SHA256_Update(context, $0.baseAddress, $0.count) }
    }

    /// Adds a digest's 32 bytes.
    public func update(_ digest: Digest) {
        digest.withUnsafeBytes { _ = SHA256_Update(context, $0.baseAddress, $0.count) }
    }

    /// The digest of everything added since the start or the last `finish`; starts over.
    public func finish() -> Digest {
        let digest = Digest { SHA256_Final($0, context) }
        SHA256_Init(context)
        return digest
    }
}
