internal import CCrypto

/// SHA-256 (FIPS 180-4) in one call, with no allocation.
public enum SHA256 {
    /// Hashes the bytes.
    public static func hash(_ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// Hashes the bytes.
    public static func hash(_ bytes: Span<UInt8>) -> Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// Hashes the bytes.
    public static func hash(_ bytes: RawSpan) -> Digest {
        bytes.withUnsafeBytes { hash($0) }
    }

    /// Hashes the text's UTF-8 bytes.
    public static func hash(utf8 text: String) -> Digest {
        var text = text
        return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
    }

    /// Hashes a prefix byte and the bytes: a leaf of RFC 6962 §2.1 when the prefix is 0.
    public static func hash(prefix: UInt8, _ bytes: [UInt8]) -> Digest {
        bytes.withUnsafeBytes { hash(prefix: prefix, $0) }
    }

    /// Hashes a prefix byte and the bytes: a leaf of RFC 6962 §2.1 when the prefix is 0.
    public static func hash(prefix: UInt8, _ bytes: Span<UInt8>) -> Digest {
        bytes.withUnsafeBytes { hash(prefix: prefix, $0) }
    }

    /// Hashes a prefix byte and two digests: an inner node of RFC 6962 §2.1 when the prefix is 1.
    public static func hash(prefix: UInt8, _ left: Digest, _ right: Digest) -> Digest {
        Digest { out in
            left.withUnsafeBytes { l in
                right.withUnsafeBytes { r in ccrypto_sha256_pair(out, prefix, l.baseAddress, r.baseAddress) }
            }
        }
    }

    static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        Digest { ccrypto_sha256($0, bytes.baseAddress, bytes.count) }
    }

    private static func hash(prefix: UInt8, _ bytes: UnsafeRawBufferPointer) -> Digest {
        Digest { ccrypto_sha256_prefixed($0, prefix, bytes.baseAddress, bytes.count) }
    }
}
