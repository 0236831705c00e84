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

/// The accounts of the authors of one contribution.
struct AuthorAccounts {
    let names: AuthorNames
    private var key: OwnerKey?
    private var isErased: [String: Bool] = [:]

    init(names: AuthorNames) { self.names = names }

    /// The account of an author; nil for one who had everything erased.
    mutating func account(_ name: String) async throws -> String? {
        let key: OwnerKey
        if let known = self.key { key = known } else { key = try await names.key() }
        self.key = key
        let account = AuthorNames.account(name, key)
        if isErased[account] == nil { isErased[account] = try await names.keys.receipt(owner: account) != nil }
        return isErased[account] == true ? nil : account
    }
}
