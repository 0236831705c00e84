internal import Blobs
internal import Events
internal import Crypto
internal import JSON
internal import ServiceShell
internal import Web

/// Files that people upload for fine-tuning: sealed under a key of theirs, so that erasing the key erases them.
struct FileShelf: Sendable {
    /// A file.
    struct File: Sendable {
        let id: String
        let owner: String
        let name: String
        let purpose: String
        let bytes: Int
        /// Seconds since 1970.
        let created: Int64
        let commitment: Digest
    }

    private let store: SealedStore
    private let records: RecordFolder

    /// Most bytes of one file, and most files of one owner.
    static let largest = 32 << 20
    static let most = 1_000

    init(_ context: ServiceContext, keys: OwnerKeys) throws {
        store = try SealedStore(
            blobs: try context.openBlobs(), keys: keys, space: "files", domain: CommitmentDomain("openledger/file"))
        records = RecordFolder(context.folder + "/files")
    }

    /// Keeps a file.
    /// - Throws: `Problem` 403 when the owner has too many.
    func put(_ bytes: [UInt8], name: String, purpose: String, owner: String, at time: Int64) async throws -> File {
        guard try await records.all(of: owner).count < Self.most else {
            throw Problem(.forbidden, "you have \(Self.most) files: delete one first")
        }
        let id = "file-" + Hex.encode(Random.bytes(12))
        let sealed = [SealedItem(id: id, content: bytes), SealedItem(id: id + ":name", content: Array(name.utf8))]
        var commitments: [Digest]
        do { commitments = try await store.put(owner: owner, sealed) } catch BlobError.erased {
            _ = try await store.keys.renew(owner: owner)
            commitments = try await store.put(owner: owner, sealed)
        }
        guard commitments.count == 2 else { throw BlobError.tooLarge(what: "the file", limit: Self.largest) }
        let file = File(id: id, owner: owner, name: name, purpose: purpose, bytes: bytes.count, created: time, commitment: commitments[0])
        try await records.put(
            [
                "id": .string(id), "owner": .string(owner), "purpose": .string(purpose), "bytes": .count(bytes.count),
                "created": .int(time),
                "content": .string(commitments[0].prefixed), "name": .string(commitments[1].prefixed),
            ], id: id, owner: owner)
        return file
    }

    /// A file of an owner; nil when there is none, or its content was erased.
    func file(_ id: String, of owner: String) async throws -> File? {
        guard let record = try await records.get(id, owner: owner) else { return nil }
        return try await file(record)
    }

    /// An owner's files, newest first.
    func files(of owner: String) async throws -> [File] {
        var files: [File] = []
        for record in try await records.all(of: owner) { if let file = try await file(record) { files.append(file) } }
        return files.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    func content(of file: File) async throws -> [UInt8] {
        try await store.content(owner: file.owner, commitment: file.commitment, upTo: Self.largest)
    }

    /// Takes a file away.
    func remove(_ file: File) async throws {
        try await records.remove(file.id, owner: file.owner)
        try await store.remove(commitment: file.commitment)
    }

    private func file(_ record: JSONValue) async throws -> File? {
        let fields = try record.object()
        let owner = try fields.string("owner")
        let name: [UInt8]
        do {
            name = try await store.content(owner: owner, commitment: try fields.digest("name"), upTo: 1_024)
        } catch let error as BlobError {
            switch error {
            case .erased, .notFound, .noKey: return nil
            default: throw error
            }
        }
        return File(
            id: try fields.string("id"), owner: owner, name: String(decoding: name, as: UTF8.self), purpose: try fields.string("purpose"),
            bytes: try fields.int("bytes"), created: Int64(try fields.int("created")), commitment: try fields.digest("content"))
    }
}
