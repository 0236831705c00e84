internal import CSecp256k1

/// An ECDSA signature on secp256k1 from which its key can be recovered, as Ethereum has it: r, s in the lower half of the order (EIP-2),
/// and which of two points it was.
public struct Secp256k1Signature: Sendable, Hashable {
    /// r and s, 64 bytes.
    public let compact: [UInt8]
    /// 0 or 1: whether y of the point is odd.
    public let recovery: UInt8

    init(compact: [UInt8], recovery: UInt8) {
        self.compact = compact
        self.recovery = recovery
    }

    /// Reads 65 bytes: r, s and v, which is 27 or 28, or 0 or 1. Nil for another length or v, for r or s outside the order, and for an s in
    /// its upper half: otherwise everybody could make a second signature out of the first.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 65 else { return nil }
        let compact = Array(bytes[..<64])
        switch bytes[64] {
        case 27, 28: recovery = bytes[64] - 27
        case 0, 1: recovery = bytes[64]
        default: return nil
        }
        guard compact.contains(where: { $0 != 0 }), csecp_is_low(compact) == 1 else { return nil }
        self.compact = compact
    }

    /// r, s and v as 27 or 28: 65 bytes.
    public var bytes: [UInt8] { compact + [recovery + 27] }

    /// The key that signed a digest of 32 bytes; nil when no key did.
    public func signer(of digest: [UInt8]) -> Secp256k1PublicKey? {
        guard digest.count == 32 else { return nil }
        var key = [UInt8](repeating: 0, count: 65)
        guard csecp_recover(&key, compact, Int32(recovery), digest) == 1 else { return nil }
        return Secp256k1PublicKey(point: Array(key[1...]))
    }
}

/// A public key on secp256k1.
public struct Secp256k1PublicKey: Sendable, Hashable {
    /// x and y, 64 bytes.
    public let point: [UInt8]

    init(point: [UInt8]) { self.point = point }

    /// Whether the signature is this key's over a digest of 32 bytes.
    public func isValid(_ signature: Secp256k1Signature, of digest: [UInt8]) -> Bool {
        digest.count == 32 && csecp_verify([4] + point, signature.compact, digest) == 1
    }
}
