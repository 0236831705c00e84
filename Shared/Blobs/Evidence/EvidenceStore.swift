public import Crypto
public import JSON

/// What an auditor needs to recompute weights and money: scores, places, postings, lists of items. Never content, never
/// personal data. Canonical JSON (RFC 8785), unencrypted, named by its hash.
public struct EvidenceStore: Sendable {
    private let blobs: any BlobStore
    /// The most bytes of one piece: 64 MiB.
    public static let largest = 64 << 20
    private static let space = "evidence"

    /// Evidence that lies in `blobs`.
    public init(blobs: any BlobStore) {
        self.blobs = blobs
    }

    /// Keeps a piece of evidence. The same evidence has the same hash and is kept once.
    /// - Throws: a `JSONError` when the value has no canonical form, for instance for a fraction: evidence is integers.
    @inline(never)  // As `value` is: the optimiser of Swift 6.3 crashes on what it makes of them in async callers.
    public func put(_ evidence: JSONValue) async throws -> EvidenceReference {
        try await put(canonical: try JSON.canonical(evidence, allowFractions: false))
    }

    /// Keeps canonical bytes as they are. They are checked.
    public func put(canonical bytes: [UInt8]) async throws -> EvidenceReference {
        guard bytes.count <= Self.largest else { throw BlobError.tooLarge(what: "the evidence", limit: Self.largest) }
        _ = try JSON.checkCanonical(bytes, limits: Self.limits)
        let hash = SHA256.hash(bytes)
        try await blobs.put(try BlobName(space: Self.space, digest: hash), bytes)
        return EvidenceReference(hash: hash, count: bytes.count)
    }

    /// The canonical bytes behind a hash, checked against it.
    /// - Throws: ``BlobError/notFound(_:)``, ``BlobError/damaged(_:reason:)``.
    public func bytes(_ hash: Digest) async throws -> [UInt8] {
        let name = try BlobName(space: Self.space, digest: hash)
        let bytes = try await blobs.bytes(of: name).collect(upTo: Self.largest)
        guard SHA256.hash(bytes) == hash else { throw BlobError.damaged(name, reason: "its hash is another one") }
        return bytes
    }

    /// The canonical bytes behind a hash in pieces, for whoever hands them on and compares them later.
    /// - Throws: ``BlobError/notFound(_:)``.
    public func open(_ hash: Digest) async throws -> BlobBytes {
        try await blobs.bytes(of: try BlobName(space: Self.space, digest: hash))
    }

    /// The evidence behind a hash.
    @inline(never)
    public func value(_ hash: Digest) async throws -> JSONValue {
        try JSON.parse(try await bytes(hash), limits: Self.limits)
    }

    private static let limits = JSONLimits(bytes: largest, items: 20_000_000)
}
