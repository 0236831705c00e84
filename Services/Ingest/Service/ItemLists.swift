internal import Blobs
internal import Crypto
internal import Events
internal import JSON

/// Lists of screened items, in events or in the evidence store.
enum ItemLists {
    static func make(_ items: [ScreenedItem], _ evidence: EvidenceStore) async throws -> EvidenceList<ScreenedItem> {
        let (list, bytes) = try EvidenceList.of(items)
        if let bytes { _ = try await evidence.put(canonical: bytes) }
        return list
    }

    static func read(_ hash: Digest, _ evidence: EvidenceStore) async throws -> [ScreenedItem] {
        try await evidence.value(hash).array(count: 0...5_000_000).map { try ScreenedItem(try $0.object()) }
    }
}
