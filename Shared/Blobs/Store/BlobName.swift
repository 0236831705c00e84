public import Crypto

/// The name under which a store keeps a blob: a space and a digest.
///
/// What the digest is of is the space's business: evidence is named by the hash of its bytes, sealed content by its
/// commitment, so that whoever has the event also has the name.
public struct BlobName: Sendable, Hashable, CustomStringConvertible {
    /// The space: 1 to 32 characters of `a-z`, `0-9` and `-`, for instance `evidence`.
    public let space: String
    /// The digest.
    public let digest: Digest

    /// Names a blob.
    /// - Throws: ``BlobError/badSpace(_:)`` when the space has a character that it may not have.
    public init(space: String, digest: Digest) throws(BlobError) {
        let isFine = (1...32).contains(space.utf8.count) && space.utf8.allSatisfy(Self.mayStand)
        guard isFine else { throw .badSpace(space) }
        self.space = space
        self.digest = digest
    }

    /// `<space>/<64 hexadecimal digits>`.
    public var description: String { "\(space)/\(digest.hex)" }

    private static func mayStand(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
