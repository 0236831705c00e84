internal import CCrypto

/// An Ed25519 verification key (RFC 8032).
public struct Ed25519PublicKey: Sendable, Hashable, CustomStringConvertible {
    private let handle: KeyHandle

    /// The 32 bytes of the key (RFC 8032 §5.1.5).
    public let rawBytes: [UInt8]

    /// Takes the 32 bytes of a key.
    public init(_ rawBytes: [UInt8]) throws(CryptoError) {
        guard rawBytes.count == 32 else { throw .wrongLength(what: "Ed25519 public key", expected: 32, actual: rawBytes.count) }
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, rawBytes, rawBytes.count) else {
            throw .drain("reading an Ed25519 public key")
        }
        self.rawBytes = rawBytes
        handle = KeyHandle(key)
    }

    /// Reads a SubjectPublicKeyInfo PEM text (RFC 8410 §4).
    public init(pem: String) throws(CryptoError) {
        let handle = try KeyHandle.read(pem: pem, what: "PEM of a public key") { ccrypto_read_public_pem($0) }
        try self.init(try handle.publicBytes())
    }

    /// The key as a SubjectPublicKeyInfo PEM text (RFC 8410 §4).
    public func pem() throws(CryptoError) -> String {
        let raw = handle.raw
        return try KeyHandle.pem("writing a public key") { PEM_write_bio_PUBKEY($0, raw) }
    }

    /// Whether the signature is this key's over the message. About 100 µs. A signature of the wrong size is not valid.
    public func isValid(signature: [UInt8], for message: [UInt8]) -> Bool {
        guard signature.count == 64, let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        // A failed verification leaves entries in the thread's queue, which the next failure would show as its own.
        defer { ERR_clear_error() }
        guard EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, handle.raw, nil) == 1 else { return false }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// Keys are equal when their bytes are.
    public static func == (a: Ed25519PublicKey, b: Ed25519PublicKey) -> Bool { a.rawBytes == b.rawBytes }

    /// Feeds the bytes.
    public func hash(into hasher: inout Hasher) { hasher.combine(rawBytes) }

    /// `ed25519:` and the key in hexadecimal.
    public var description: String { "ed25519:" + Hex.encode(rawBytes) }
}
