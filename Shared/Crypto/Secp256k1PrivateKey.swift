internal import CSecp256k1

/// A private key on secp256k1. Its bytes are in no description.
public struct Secp256k1PrivateKey: Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    /// The key that others know.
    public let publicKey: Secp256k1PublicKey

    /// From its 32 bytes.
    /// - Throws: for another length, zero, or a number that is not below the curve's order.
    public init(_ bytes: [UInt8]) throws(CryptoError) {
        guard bytes.count == 32 else { throw .wrongLength(what: "secp256k1 key", expected: 32, actual: bytes.count) }
        var point = [UInt8](repeating: 0, count: 65)
        guard csecp_public(&point, bytes, Random.bytes(32)) == 1 else { throw .outOfRange(what: "secp256k1 key") }
        self.bytes = bytes
        publicKey = Secp256k1PublicKey(point: Array(point[1...]))
    }

    /// A new one.
    public static func generate() throws(CryptoError) -> Secp256k1PrivateKey {
        // All but 2⁻¹²⁸ of 32 random bytes are keys.
        try Secp256k1PrivateKey(Random.bytes(32))
    }

    /// Signs a digest of 32 bytes, always with the same result (RFC 6979).
    public func sign(_ digest: [UInt8]) throws(CryptoError) -> Secp256k1Signature {
        guard digest.count == 32 else { throw .wrongLength(what: "digest", expected: 32, actual: digest.count) }
        var compact = [UInt8](repeating: 0, count: 64)
        var recovery: Int32 = 0
        guard csecp_sign(&compact, &recovery, digest, bytes, Random.bytes(32)) == 1, recovery == 0 || recovery == 1 else {
            throw .library(operation: "signing on secp256k1", reasons: [])
        }
        return Secp256k1Signature(compact: compact, recovery: UInt8(recovery))
    }

    /// The public key's first bytes only.
    public var description: String { "secp256k1 private key of \(Hex.encode(Array(publicKey.point.prefix(8))))…" }
}
