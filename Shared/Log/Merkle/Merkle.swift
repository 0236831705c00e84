public import Crypto

/// The hashes of an RFC 6962 §2.1 Merkle tree. The prefixes keep a leaf from ever passing for a node.
public enum Merkle {
    /// SHA-256(0x00 ‖ entry).
    public static func leaf(_ entry: [UInt8]) -> Digest { SHA256.hash(prefix: 0x00, entry) }

    /// SHA-256(0x01 ‖ left ‖ right).
    public static func node(_ left: Digest, _ right: Digest) -> Digest { SHA256.hash(prefix: 0x01, left, right) }

    /// The root of the tree with no leaves: SHA-256 of nothing.
    public static let emptyRoot = SHA256.hash([])

    /// The root over hashes of perfect subtrees of one height, by the definition (largest power of two to the left).
    /// Cost: one node hash less than there are hashes.
    public static func root(of hashes: some Collection<Digest>) -> Digest {
        var range = CompactRange()
        for hash in hashes { range.append(hash) }
        return range.root
    }
}
