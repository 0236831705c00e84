internal import Blobs
internal import Crypto
internal import JSON

/// What people write here: pages, and reasons for votes and appeals. Sealed under the writer's key; events have commitments only.
struct Writings: Sendable {
    private let store: SealedStore

    /// - Parameters:
    ///   - blobs: where they lie, sealed.
    ///   - folder: for the wrapped keys.
    init(blobs: any BlobStore, folder: String) throws {
        let keys = try OwnerKeys(
            masters: [try MasterKey.loadOrCreate(folder + "/master.key")], records: try FolderKeyRecords(root: folder + "/keys"))
        store = try SealedStore(
            blobs: blobs, keys: keys, space: "writings",
            domain: try CommitmentDomain("openledger/writing/v1"))
    }

    /// What all traps on one contribution share: a hash by a key of this service's own, so that nobody finds the contribution by trying.
    func tag(ofTrapOn contribution: String) async throws -> Digest {
        // No principal has such a name.
        let key = try await store.keys.keyOrNew(of: "datanet/traps")
        return SHA256.hash(utf8: "openledger/trap-tag\n" + key.salt(item: contribution).hex)
    }

    /// Commits somebody to words that are not kept.
    /// - Parameter name: what they are, unique among the author's.
    /// - Returns: SHA-256 over domain, salt and words, and the salt, without which nobody finds the words by trying.
    func commitment(to words: String, by author: String, as name: String) async throws -> (commitment: Digest, salt: Digest) {
        let key: OwnerKey
        do { key = try await store.keys.keyOrNew(of: author) } catch BlobError.erased { key = try await store.keys.renew(owner: author) }
        let salt = key.salt(item: name)
        return (try CommitmentDomain("openledger/search/v1").commitment(salt: salt, content: Array(words.utf8)), salt)
    }

    /// Seals a text.
    /// - Parameter name: what it is, unique among the author's writings.
    /// - Returns: the commitment.
    func put(_ text: String, by author: String, as name: String) async throws -> Digest {
        let item = SealedItem(id: name, content: Array(text.utf8))
        let commitments: [Digest]
        do { commitments = try await store.put(owner: author, [item]) } catch BlobError.erased {
            // Who had everything erased may write again, under a new key.
            _ = try await store.keys.renew(owner: author)
            commitments = try await store.put(owner: author, [item])
        }
        guard let commitment = commitments.first else { throw BlobError.noKey(owner: author) }
        return commitment
    }

    /// The text, or nil when its author's key is gone.
    func text(_ commitment: Digest, by author: String) async throws -> String? {
        do {
            return String(decoding: try await store.content(owner: author, commitment: commitment, upTo: 1 << 20), as: UTF8.self)
        } catch BlobError.erased, BlobError.notFound, BlobError.noKey {
            return nil
        }
    }

    /// Destroys the key of somebody who wants all of theirs erased.
    func erase(_ author: String, time: String) async throws {
        do { _ = try await store.keys.destroy(owner: author, time: time) } catch BlobError.noKey {}
    }
}
