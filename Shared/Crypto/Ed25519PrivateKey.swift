internal import CCrypto

/// An Ed25519 signing key (RFC 8032). Cheap to copy and to keep; the secret is wiped with the last copy.
public struct Ed25519PrivateKey: Sendable, CustomStringConvertible {
    private let handle: KeyHandle

    /// The key that checks this key's signatures.
    public let publicKey: Ed25519PublicKey

    private init(_ handle: KeyHandle) throws(CryptoError) {
        self.handle = handle
        publicKey = try Ed25519PublicKey(try handle.publicBytes())
    }

    /// Takes the 32-byte seed, which RFC 8032 §5.1.5 calls the private key.
    public init(seed: [UInt8]) throws(CryptoError) {
        guard seed.count == 32 else { throw .wrongLength(what: "Ed25519 seed", expected: 32, actual: seed.count) }
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw .drain("reading an Ed25519 seed")
        }
        try self.init(KeyHandle(key))
    }

    /// Reads an unencrypted PKCS#8 PEM text (RFC 8410 §7).
    public init(pem: String) throws(CryptoError) {
        try self.init(try KeyHandle.read(pem: pem, what: "PEM of an unencrypted private key") { ccrypto_read_private_pem($0) })
    }

    /// Makes a new key from the system's randomness.
    public static func generate() throws(CryptoError) -> Ed25519PrivateKey {
        try Ed25519PrivateKey(seed: Random.bytes(32))
    }

    /// The 32-byte seed. Handle as the secret that it is.
    public func seed() throws(CryptoError) -> [UInt8] { try handle.privateBytes() }

    /// The key as an unencrypted PKCS#8 PEM text (RFC 8410 §7).
    public func pem() throws(CryptoError) -> String {
        let raw = handle.raw
        return try KeyHandle.pem("writing a private key") { PEM_write_bio_PKCS8PrivateKey($0, raw, nil, nil, 0, nil, nil) }
    }

    /// Signs the message: 64 bytes, always the same for the same message.
    public func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .drain("signing") }
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestSignInit_ex(context, nil, nil, nil, nil, handle.raw, nil), "signing")
        var out = [UInt8](repeating: 0, count: 64), count = 64
        try check(EVP_DigestSign(context, &out, &count, message, message.count), "signing")
        return out
    }

    /// Names the public key only.
    public var description: String { "Ed25519 private key of \(publicKey)" }
}
