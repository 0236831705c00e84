public import Crypto

/// People's content, sealed under their own keys and named by its commitment. Whoever reads an event has the name of the
/// blob; only who holds the owner's key reads the blob; once the key is destroyed nobody does.
public struct SealedStore: Sendable {
    private let blobs: any BlobStore
    private let domain: CommitmentDomain
    private let space: String
    /// The owners' keys.
    public let keys: OwnerKeys

    /// - Parameters:
    ///   - space: where the blobs lie, for instance `content`.
    ///   - domain: what the commitments are about.
    public init(blobs: any BlobStore, keys: OwnerKeys, space: String, domain: CommitmentDomain) throws(BlobError) {
        _ = try BlobName(space: space, digest: .zero)
        self.blobs = blobs
        self.keys = keys
        self.space = space
        self.domain = domain
    }

    /// Seals items of one owner and keeps them; the owner's key is made when there is none.
    /// - Returns: the commitments, in the same order.
    public func put(owner: String, _ items: [SealedItem]) async throws -> [Digest] {
        try await put(items.map { (owner, $0) })
    }

    /// Seals items of several owners, each under its owner's key, and keeps them together: durability is paid for once.
    /// - Returns: the commitments, in the same order.
    public func put(_ items: [(owner: String, item: SealedItem)]) async throws -> [Digest] {
        var known: [String: OwnerKey] = [:]
        var commitments: [Digest] = []
        var sealed: [NamedBlob] = []
        for (owner, item) in items {
            let key: OwnerKey
            if let found = known[owner] { key = found } else { key = try await keys.keyOrNew(of: owner) }
            known[owner] = key
            let commitment = key.commitment(item: item.id, content: item.content, domain: domain)
            commitments.append(commitment)
            let name = try BlobName(space: space, digest: commitment)
            sealed.append(NamedBlob(name, try Self.seal(item.content, name, key)))
        }
        try await blobs.put(sealed)
        return commitments
    }

    /// Seals content of any size, in bounded memory. The content is read twice: once for its commitment, which is its
    /// name, and once to be kept.
    public func put(owner: String, item: String, _ content: BlobBytes) async throws -> Digest {
        let key = try await keys.keyOrNew(of: owner)
        let hasher = domain.hasher(salt: key.salt(item: item))
        for try await piece in content { hasher.update(piece) }
        let commitment = hasher.finish()
        let name = try BlobName(space: space, digest: commitment)
        let format = try SealedFormat(sealing: name, with: key)
        try await blobs.put(name, BlobBytes { SealingSource(try await content.open(), format: format) })
        return commitment
    }

    /// The content behind a commitment, or a part of it, opened while it is read.
    /// - Throws: ``BlobError/erased(owner:)`` when the owner's key was destroyed, ``BlobError/notFound(_:)``,
    ///   ``BlobError/damaged(_:reason:)``, ``BlobError/outOfRange(_:range:count:)``.
    public func content(owner: String, commitment: Digest, range: Range<Int>? = nil) async throws -> BlobBytes {
        let (name, format, count) = try await look(owner, commitment)
        let wanted = range ?? 0..<count
        guard wanted.lowerBound >= 0, wanted.upperBound <= count else {
            throw BlobError.outOfRange(name, range: wanted, count: count)
        }
        let stride = format.chunk + SealedFormat.tag
        let first = SealedFormat.headCount + wanted.lowerBound / format.chunk * stride
        let lastChunk = max(wanted.upperBound - 1, wanted.lowerBound, 0) / format.chunk
        let end = min(SealedFormat.headCount + (lastChunk + 1) * stride, storedCount(count, format))
        let blobs = blobs
        return BlobBytes {
            let stored = try await blobs.bytes(of: name, range: min(first, end)..<end)
            return OpeningSource(try await stored.open(), format: format, name: name, plainCount: count, wanted: wanted)
        }
    }

    /// The whole of a small content.
    /// - Throws: ``BlobError/tooLarge(what:limit:)`` when there are more than `limit` bytes.
    public func content(owner: String, commitment: Digest, upTo limit: Int) async throws -> [UInt8] {
        let key = try await keys.key(of: owner)
        let name = try BlobName(space: space, digest: commitment)
        let bytes: [UInt8]
        do {
            let most = limit + SealedFormat.headCount + (limit / 1024 + 1) * SealedFormat.tag
            bytes = try await blobs.bytes(of: name).collect(upTo: most)
        } catch BlobError.tooLarge {
            throw BlobError.tooLarge(what: "the content", limit: limit)
        }
        let format = try SealedFormat(opening: Array(bytes.prefix(SealedFormat.headCount)), of: name, with: key)
        guard let count = format.plainCount(stored: bytes.count) else { throw BlobError.damaged(name, reason: "it ends early") }
        guard count <= limit else { throw BlobError.tooLarge(what: "the content", limit: limit) }
        let body = BlobBytes(Array(bytes.dropFirst(SealedFormat.headCount)))
        let source = OpeningSource(try await body.open(), format: format, name: name, plainCount: count, wanted: 0..<count)
        return try await BlobBytes { source }.collect(upTo: limit)
    }

    /// The plain size of the content behind a commitment.
    public func count(owner: String, commitment: Digest) async throws -> Int { try await look(owner, commitment).2 }

    /// Whether `content` is what `commitment` commits to for this owner and item.
    public func isCommitted(owner: String, item: String, content: [UInt8], commitment: Digest) async throws -> Bool {
        try await keys.key(of: owner).commitment(item: item, content: content, domain: domain) == commitment
    }

    /// Removes one content for ever, while the owner's other content stays. That there is none is fine.
    public func remove(commitment: Digest) async throws {
        try await blobs.remove(try BlobName(space: space, digest: commitment))
    }

    private func look(_ owner: String, _ commitment: Digest) async throws -> (BlobName, SealedFormat, Int) {
        let key = try await keys.key(of: owner)
        let name = try BlobName(space: space, digest: commitment)
        guard let stored = try await blobs.count(of: name) else { throw BlobError.notFound(name) }
        guard stored >= SealedFormat.headCount else { throw BlobError.damaged(name, reason: "it ends early") }
        let head = try await blobs.bytes(of: name, range: 0..<SealedFormat.headCount).collect(upTo: SealedFormat.headCount)
        let format = try SealedFormat(opening: head, of: name, with: key)
        guard let count = format.plainCount(stored: stored) else { throw BlobError.damaged(name, reason: "it ends early") }
        return (name, format, count)
    }

    private func storedCount(_ plain: Int, _ format: SealedFormat) -> Int {
        SealedFormat.headCount + plain + max(1, (plain + format.chunk - 1) / format.chunk) * SealedFormat.tag
    }

    private static func seal(_ content: [UInt8], _ name: BlobName, _ key: OwnerKey) throws -> [UInt8] {
        let format = try SealedFormat(sealing: name, with: key)
        var sealed = format.head
        sealed.reserveCapacity(content.count + SealedFormat.headCount + SealedFormat.tag)
        var number = 0
        var start = 0
        while content.count - start > format.chunk {
            sealed += try format.seal(Array(content[start..<start + format.chunk]), number: number, isLast: false)
            number += 1
            start += format.chunk
        }
        sealed += try format.seal(start == 0 ? content : Array(content[start...]), number: number, isLast: true)
        return sealed
    }
}
