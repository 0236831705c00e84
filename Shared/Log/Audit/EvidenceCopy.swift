public import Crypto
internal import Events
internal import JSON
internal import Threads

/// What of the evidence came along with a log.
public struct EvidenceCopied: Sendable, Hashable {
    /// How many documents were fetched.
    public var documents = 0
    /// Their bytes.
    public var bytes: UInt64 = 0
    /// Documents that events name and nobody had, or had otherwise; the first hundred.
    public var missing: [Missing] = []

    /// A document that is not there.
    public struct Missing: Sendable, Hashable {
        /// Its hash.
        public let digest: Digest
        /// Where the event stands that names it first.
        public let position: UInt64
    }
}

extension LogSource {
    /// Fetches the documents that a bundle's events name, from the first event on whose evidence may not be there yet. Each is compared
    /// with its hash.
    func copyEvidence(into bundle: BundleFolder, size: UInt64) async throws -> EvidenceCopied {
        var copied = EvidenceCopied()
        var through: UInt64?
        let from = try await OSThread.run(name: "log-store") { try bundle.evidenceThrough() }
        var seen: Set<Digest> = []
        var next = from >> UInt64(Tile.height)
        while let tile = Tile.at(level: 0, index: next, size: size) {
            let entries = try await bundle.source.bundle(of: tile)
            guard let ranges = EntryBundle.ranges(of: entries, count: tile.width) else {
                throw LogSourceError.malformed(path: tile.bundlePath, reason: "is cut")
            }
            for (index, range) in ranges.enumerated() {
                let position = next << UInt64(Tile.height) + UInt64(index)
                for digest in Self.mentions(Array(entries[range])) where seen.insert(digest).inserted {
                    guard try await bundle.source.evidence(digest).map({ SHA256.hash($0) == digest }) != true else { continue }
                    guard let bytes = try await evidence(digest), SHA256.hash(bytes) == digest else {
                        through = through ?? position
                        if copied.missing.count < 100 { copied.missing.append(.init(digest: digest, position: position)) }
                        continue
                    }
                    try await OSThread.run(name: "log-store") { try bundle.store(evidence: bytes, digest) }
                    copied.documents += 1
                    copied.bytes += UInt64(bytes.count)
                }
            }
            if seen.count > 1_000_000 { seen.removeAll() }
            next += 1
        }
        let reached = through ?? size
        if reached > from { try await OSThread.run(name: "log-store") { try bundle.keep(evidenceThrough: reached) } }
        return copied
    }

    private static func mentions(_ bytes: [UInt8]) -> [Digest] {
        guard let header = try? EventHeader(trusted: bytes), let data = try? JSON.parse(Array(bytes[header.data])) else { return [] }
        return EvidenceMentions.of(type: header.type, data: data).map(\.digest)
    }
}
