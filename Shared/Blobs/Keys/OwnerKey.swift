public import Crypto

/// The secrets of one owner: the key that its content is sealed with and the key that its salts come from.
public struct OwnerKey: Sendable, CustomStringConvertible {
    /// Whose it is.
    public let owner: String
    /// 16 random bytes that name the key; they stand in the head of every blob that was sealed with it.
    public let id: [UInt8]
    let dataKey: [UInt8]
    let saltKey: [UInt8]

    /// The salt of an item: HMAC-SHA-256 of its id under the salt key. The same on every run, and gone with the key.
    public func salt(item: String) -> Digest { HMACSHA256.code(Array(item.utf8), key: saltKey) }

    /// The commitment to an item's content: see ``CommitmentDomain/commitment(salt:content:)``.
    public func commitment(item: String, content: [UInt8], domain: CommitmentDomain) -> Digest {
        domain.commitment(salt: salt(item: item), content: content)
    }

    /// The owner; never the keys.
    public var description: String { "key of \(owner)" }

    /// Names the key without giving anything of it away: a hash over 64 random bytes.
    var fingerprint: Digest {
        let hasher = SHA256Hasher()
        hasher.update(Array("openledger/owner-key/v1\n".utf8) + id + dataKey + saltKey)
        return hasher.finish()
    }
}
