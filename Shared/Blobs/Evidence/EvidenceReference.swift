public import Crypto

/// Names a piece of evidence from an event.
public struct EvidenceReference: Sendable, Hashable {
    /// SHA-256 of its canonical bytes.
    public let hash: Digest
    /// How many bytes these are.
    public let count: Int

    /// Pairs them.
    public init(hash: Digest, count: Int) {
        self.hash = hash
        self.count = count
    }
}
