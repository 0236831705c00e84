public import Crypto

/// What kind of thing a commitment commits to, so that a commitment to one kind can never pass for another.
public struct CommitmentDomain: Sendable, Hashable {
    /// The line that the hash starts with, its end included.
    let bytes: [UInt8]

    /// A domain from a text of 1 to 64 bytes without a line break, for instance `openledger/item/v1`.
    public init(_ text: String) throws(BlobError) {
        guard (1...64).contains(text.utf8.count), !text.utf8.contains(UInt8(ascii: "\n")) else { throw .badDomain(text) }
        self.init(line: text)
    }

    private init(line: String) { bytes = Array(line.utf8) + [UInt8(ascii: "\n")] }

    /// Items of contributions: `openledger/item/v1`.
    public static let item = CommitmentDomain(line: "openledger/item/v1")
    /// Parts of uploads on their way: `openledger/upload/v1`.
    public static let upload = CommitmentDomain(line: "openledger/upload/v1")
    /// Prompts and answers of inferences: `openledger/inference/v1`.
    public static let inference = CommitmentDomain(line: "openledger/inference/v1")

    /// SHA-256(domain ‖ salt ‖ content). The domain ends in a line break and the salt has 32 bytes, so no two different
    /// triples are the same bytes.
    public func commitment(salt: Digest, content: [UInt8]) -> Digest {
        let hasher = hasher(salt: salt)
        hasher.update(content)
        return hasher.finish()
    }

    /// A hasher that has taken domain and salt already: add the content piece by piece.
    func hasher(salt: Digest) -> SHA256Hasher {
        let hasher = SHA256Hasher()
        hasher.update(bytes)
        hasher.update(salt)
        return hasher
    }
}
