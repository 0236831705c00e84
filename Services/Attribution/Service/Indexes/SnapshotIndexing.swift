internal import AttributionDomain
internal import CorpusIndex
internal import Crypto
internal import Events

/// Builds the index of one snapshot. It waits for the disk and the sorter: on a thread of its own.
struct SnapshotIndexing: Sendable {
    let directory: String
    let root: Digest
    let list: [AdmittedItem]
    let texts: [[UInt8]?]
    let admissions: [String: UInt64]

    struct Built: Sendable {
        let manifest: Digest
        let measures: [IndexedItem]
        let items: Int
        let bytes: Int
    }

    /// - Throws: `CorpusIndexError` or `AttributionError`.
    func build() throws -> Built {
        let present = list.indices.compactMap { index in texts[index].map { CorpusItem(id: list[index].item, text: $0) } }
        let manifest = try CorpusIndexBuilder(directory: directory).build(root: root, items: present)
        return Built(
            manifest: manifest, measures: try measures(), items: present.count, bytes: present.reduce(0) { $0 + $1.text.count })
    }

    /// What is new in each item, in the order in which the ledger admitted them; of one contribution, in the order of their ids.
    private func measures() throws -> [IndexedItem] {
        func position(_ index: Int) -> UInt64 { admissions[list[index].contribution] ?? .max }
        let order = list.indices.sorted {
            (position($0), list[$0].item, $0) < (position($1), list[$1].item, $1)
        }
        var novelty = Novelty()
        var found = list.map { IndexedItem(item: $0.item, words: 0, unique: 0) }
        for index in order {
            guard let text = texts[index] else { continue }
            let finding = novelty.add(id: list[index].item, try WordSequence(text, limit: SnapshotContent.longestLine))
            found[index].words = finding.tokens
            found[index].unique = finding.uniqueTokens
            found[index].head = finding.head
        }
        return found
    }
}
