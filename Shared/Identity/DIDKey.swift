public import Crypto

/// Ed25519 keys as decentralised identifiers: `did:key:z6Mk…` (W3C CCG did:key §3, multicodec 0xed, base58btc).
public enum DIDKey {
    private static let prefix = "did:key:z"
    private static let codec: [UInt8] = [0xed, 0x01]

    /// The identifier of a key.
    public static func text(for key: Ed25519PublicKey) -> String { prefix + Base58.encode(codec + key.rawBytes) }

    /// The key of an identifier; nil when it is not that of an Ed25519 key.
    public static func publicKey(in text: String) -> Ed25519PublicKey? {
        guard text.utf8.starts(with: prefix.utf8), let bytes = Base58.decode(text.dropFirst(prefix.count)),
            bytes.starts(with: codec), let key = try? Ed25519PublicKey(Array(bytes.dropFirst(codec.count)))
        else { return nil }
        return key
    }
}
