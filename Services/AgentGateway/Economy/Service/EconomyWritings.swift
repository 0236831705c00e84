internal import Blobs
internal import Crypto
internal import JSON
internal import ServiceShell

/// What people and agents write here: pages of services and briefs of tasks. Sealed under the writer's key; events have commitments only.
struct EconomyWritings: Sendable {
    private let store: SealedStore
    /// Most bytes of one.
    static let largest = 256 << 10

    init(_ context: ServiceContext) throws {
        let keys = try OwnerKeys(
            masters: [try MasterKey.loadOrCreate(context.folder + "/content.key")],
            records: try FolderKeyRecords(root: context.folder + "/owners"))
        store = try SealedStore(
            blobs: try context.openBlobs(), keys: keys, space: "economy", domain: try CommitmentDomain("openledger/economy"))
    }

    /// Seals a text.
    /// - Parameter name: what it is, unique among the writer's.
    /// - Returns: the commitment.
    func put(_ text: [UInt8], by writer: String, as name: String) async throws -> Digest {
        let item = SealedItem(id: name, content: text)
        let commitments: [Digest]
        do { commitments = try await store.put(owner: writer, [item]) } catch BlobError.erased {
            // Who had everything erased may write again, under a new key.
            _ = try await store.keys.renew(owner: writer)
            commitments = try await store.put(owner: writer, [item])
        }
        guard let commitment = commitments.first else { throw BlobError.noKey(owner: writer) }
        return commitment
    }

    /// The text, or nil when its writer's key is gone.
    func text(_ commitment: Digest, by writer: String) async throws -> [UInt8]? {
        do { return try await store.content(owner: writer, commitment: commitment, upTo: Self.largest) } catch BlobError.erased,
            BlobError.notFound, BlobError.noKey
        { return nil }
    }
}
