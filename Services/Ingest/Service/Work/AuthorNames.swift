internal import Blobs
internal import Crypto
internal import IngestDomain

/// The accounts of named authors. Names are personal data and stay off the log: an account is a keyed hash of the name, the same in
/// every contribution, and nobody without the key finds the name by trying.
struct AuthorNames: Sendable {
    let keys: OwnerKeys
    /// The key's owner; no principal has such a name.
    private static let owner = "ingest/authors"

    /// The account of an author. Case and the way in which Unicode writes a letter make no other author.
    func account(_ name: String) async throws -> String { Self.account(name, try await key()) }

    /// The key, to make many accounts.
    func key() async throws -> OwnerKey { try await keys.keyOrNew(of: Self.owner) }

    static func account(_ name: String, _ key: OwnerKey) -> String {
        AuthorRules.prefix + key.salt(item: UnicodeText.nfc(name).lowercased()).hex.prefix(32)
    }
}
