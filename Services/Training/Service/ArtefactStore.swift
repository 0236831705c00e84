internal import Blobs
internal import Crypto
internal import Events
internal import HTTP
internal import JSON

/// What runners make, by content: the files of adapters and checkpoints, and a manifest for each.
///
/// A manifest is canonical JSON `{"files":[{"bytes":n,"path":"…","sha256":"sha256:…"}]}`, files in the order of their paths; its
/// SHA-256 is the artefact's name.
struct ArtefactStore: Sendable {
    let blobs: any BlobStore
    /// Most bytes of one file.
    static let largest = 512 << 20
    private static let space = "artefacts"

    /// Keeps a file under its hash, as its pieces come, and that it was this principal who had it.
    /// - Throws: ``ArtefactError`` when the bytes have another hash; nothing is kept then.
    func put(_ digest: Digest, _ body: RequestBody, by principal: String) async throws {
        let name = try BlobName(space: Self.space, digest: digest)
        let source = HashingSource(body, expected: digest)
        if try await blobs.count(of: name) == nil { try await blobs.put(name, BlobBytes { source }) }
        // Another may have brought the same: who has not all of it has nothing of it.
        try await source.drain()
        try await blobs.put(try Self.mark(digest, principal), Array(principal.utf8))
    }

    /// Whether a principal brought all that an artefact names, and its manifest.
    func requireOwn(_ manifest: Digest, of principal: String) async throws {
        for digest in [manifest] + (try await files(of: manifest)) {
            guard try await isFrom(principal, digest) else { throw ArtefactError.foreign(digest, principal) }
        }
    }

    /// Whether a principal brought these bytes; several may have.
    func isFrom(_ principal: String, _ digest: Digest) async throws -> Bool {
        try await blobs.count(of: Self.mark(digest, principal)) != nil
    }

    /// Where it stands that a principal brought a file.
    private static func mark(_ digest: Digest, _ principal: String) throws -> BlobName {
        try BlobName(space: "artefact-owners", digest: SHA256.hash(utf8: digest.hex + "\n" + principal))
    }

    /// The file's bytes as a stream.
    /// - Throws: ``ArtefactError/missing(_:)`` when it is not here.
    func bytes(_ digest: Digest) async throws -> BlobBytes {
        do { return try await blobs.bytes(of: BlobName(space: Self.space, digest: digest)) } catch BlobError.notFound {
            throw ArtefactError.missing(digest)
        }
    }

    /// Whether it is here, and so are all files that it names.
    func check(manifest digest: Digest) async throws {
        for hash in try await files(of: digest) {
            guard try await blobs.count(of: BlobName(space: Self.space, digest: hash)) != nil else { throw ArtefactError.missing(hash) }
        }
    }

    /// A file of an artefact.
    struct File: Sendable {
        let path: String
        let bytes: Int
        let digest: Digest
    }

    /// The hashes of the files that a manifest names.
    func files(of digest: Digest) async throws -> [Digest] { try await listing(of: digest).map(\.digest) }

    /// The files that a manifest names.
    func listing(of digest: Digest) async throws -> [File] {
        let name = try BlobName(space: Self.space, digest: digest)
        guard let count = try await blobs.count(of: name), count <= 1 << 20 else { throw ArtefactError.missing(digest) }
        let bytes = try await blobs.bytes(of: name).collect(upTo: 1 << 20)
        do {
            return try JSON.parse(bytes).object().array("files", count: 1...64).map { entry in
                let file = try entry.object()
                return File(path: try file.string("path"), bytes: try file.count("bytes"), digest: try file.digest("sha256"))
            }
        } catch { throw ArtefactError.noManifest(digest, reason: "\(error)") }
    }
}

/// What is wrong with an artefact.
enum ArtefactError: Error, Equatable {
    case wrongHash(expected: Digest, actual: Digest)
    case missing(Digest)
    case foreign(Digest, String)
    case noManifest(Digest, reason: String)
}
