internal import Blobs
internal import Crypto
internal import Events
internal import JSON

/// Lists of screened items, in events or in the evidence store.
enum ItemLists {
    /// The most bytes of a list within an event, which has 65,535 for everything: two hundred items can be more than that.
    private static let mostBytes = 40_000

    static func make(_ items: [ScreenedItem], _ evidence: EvidenceStore) async throws -> EvidenceList<ScreenedItem> {
        let bytes = try EvidenceList.encode(items)
        if items.count <= EvidenceList<ScreenedItem>.maximumEntries, bytes.count <= mostBytes { return .entries(items) }
        _ = try await evidence.put(canonical: bytes)
        return .evidence(SHA256.hash(bytes), count: items.count)
    }

    static func read(_ hash: Digest, _ evidence: EvidenceStore) async throws -> [ScreenedItem] {
        try await evidence.value(hash).array(count: 0...5_000_000).map { try ScreenedItem(try $0.object()) }
    }
}
