internal import Blobs
internal import Crypto
internal import Events

/// The lists of items that were asked for last, so that to page through a long one, or to ask for the verdict on each of its items, does
/// not read all of it every time. Those who ask for the same one at once read it once, together.
actor ScreenedLists {
    private let evidence: EvidenceStore
    /// The last used last.
    private var kept: [(hash: Digest, list: Task<[ScreenedItem], any Error>, count: Int)] = []
    /// The most items that are remembered, unless one list alone has more: some 100 MB.
    private static let most = 200_000

    init(_ evidence: EvidenceStore) { self.evidence = evidence }

    func list(_ hash: Digest, _ count: Int) async throws -> [ScreenedItem] {
        if let index = kept.firstIndex(where: { $0.hash == hash }) {
            let known = kept.remove(at: index)
            kept.append(known)
            return try await known.list.value
        }
        let evidence = evidence
        let reading = Task { try await ItemLists.read(hash, evidence) }
        kept.append((hash, reading, count))
        while kept.count > 1, kept.reduce(0, { $0 + $1.count }) > Self.most { kept.removeFirst() }
        do { return try await reading.value } catch {
            kept.removeAll { $0.hash == hash }
            throw error
        }
    }
}
