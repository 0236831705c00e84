internal import Blobs
internal import Crypto
internal import IngestDomain

/// The accounts of named authors. Names are personal data and stay off the log: an account is a keyed hash of the name, the same in
/// every contribution to a Datanet and another one in every other Datanet, and nobody without the key finds the name by trying.
struct AuthorNames: Sendable {
    let keys: OwnerKeys
    /// The key's owner; no principal has such a name.
    private static let owner = "ingest/authors"

    /// The key, to make many accounts.
    func key() async throws -> OwnerKey { try await keys.keyOrNew(of: Self.owner) }

    /// The account of an author in a Datanet. Case and the way in which Unicode writes a letter make no other author.
    static func account(_ name: String, datanet: String, _ key: OwnerKey) -> String {
        AuthorRules.account(datanet: datanet, hash: key.salt(item: "\(datanet)\n\(folded(name))").hex)
    }

    private static func folded(_ name: String) -> String { UnicodeText.nfc(name).lowercased() }
}

/// The accounts of the authors of one contribution.
struct AuthorAccounts {
    let names: AuthorNames
    let datanet: String
    private var key: OwnerKey?
    private var isErased: [String: Bool] = [:]

    init(names: AuthorNames, datanet: String) {
        self.names = names
        self.datanet = datanet
    }

    /// The account of an author; nil for one who had everything erased.
    mutating func account(_ name: String) async throws -> String? {
        let key: OwnerKey
        if let known = self.key { key = known } else { key = try await names.key() }
        self.key = key
        let account = AuthorNames.account(name, datanet: datanet, key)
        if isErased[account] == nil {
            isErased[account] = try await names.keys.receipt(owner: account) != nil
        }
        return isErased[account] == true ? nil : account
    }
}
