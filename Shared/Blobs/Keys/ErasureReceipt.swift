public import Crypto
public import JSON

/// Says that the key of an owner was destroyed. It holds nothing that was secret: should a copy of the key ever turn up,
/// the fingerprint tells that it is the one that was promised to be gone.
public struct ErasureReceipt: Sendable, Hashable {
    /// Whose key it was.
    public let owner: String
    /// Which key of that owner: 1 for the first.
    public let generation: Int
    /// SHA-256 over the key's id and secrets.
    public let keyFingerprint: Digest
    /// When it was destroyed, RFC 3339 as the caller said.
    public let time: String

    /// The receipt as JSON: `{owner, generation, key_fingerprint, method, time}`.
    public var json: JSONValue {
        [
            "owner": .string(owner), "generation": .int(Int64(generation)), "key_fingerprint": .string(keyFingerprint.prefixed),
            "method": "key-destroyed", "time": .string(time),
        ]
    }
}
