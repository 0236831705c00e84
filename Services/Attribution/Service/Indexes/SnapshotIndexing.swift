internal import AttributionDomain
internal import CorpusIndex
internal import Crypto
internal import Events

/// Builds the index of one snapshot. It waits for the disk and the sorter: on a thread of its own.
struct SnapshotIndexing: Sendable {
    let directory: String
    /// The root of the snapshot, and that of its Datanet's first.
    let root: Digest
    let origin: Digest
    let list: [AdmittedItem]
    /// The items of each segment.
    let plan: SegmentPlan
    /// Texts by item; where there is an earlier snapshot, only of what it lacks. Those that were taken back are missing.
    let texts: [String: [UInt8]]
    let admissions: [String: UInt64]
    let earlier: Earlier?

    /// An earlier snapshot's index, of which this one is a continuation: all of its items are here, and all new ones were admitted later.
    struct Earlier: Sendable {
        let directory: String
        let list: [AdmittedItem]
        let measures: [IndexedItem]
        /// Bytes of its texts.
        let bytes: Int
    }

    struct Built: Sendable {
        let manifest: Digest
        let measures: [IndexedItem]
        let items: Int
        let bytes: Int
    }

    /// - Throws: `CorpusIndexError`; `unknownItem` where the earlier index lacks what its snapshot lists.
    func build() throws -> Built {
        let (manifest, items) = try files()
        return Built(
            manifest: manifest, measures: try measures(), items: items,
            bytes: (earlier?.bytes ?? 0) + texts.values.reduce(0) { $0 + $1.count })
    }

    /// Writes the files alone.
    /// - Returns: the manifest's hash, and how many items there are.
    func files() throws -> (manifest: Digest, items: Int) {
        let known = Set(earlier?.list.map(\.item) ?? [])
        let groups = plan.groups.map { group in group.map(\.id).filter { known.contains($0) || texts[$0] != nil } }
        let manifest = try CorpusIndexBuilder(directory: directory).build(
            root: root, origin: origin, groups: groups, earlier: earlier?.directory
        ) { texts[$0] }
        return (manifest, groups.reduce(0) { $0 + $1.count })
    }

    /// What is new in each item, in the order in which the ledger admitted them; of one contribution, in the order of their ids.
    private func measures() throws -> [IndexedItem] {
        var words = IndexedWords(try CorpusIndex(directory: directory, verification: .headers))
        var novelty = Novelty()
        var measured: [String: IndexedItem] = [:]
        if let earlier {
            let own = Dictionary(earlier.measures.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
            let order = Self.order(earlier.list, admissions).map { earlier.list[$0].item }
            words.number(order)
            novelty = Novelty(after: order.map { own[$0]?.head ?? $0 })
            measured = own
        }
        for index in Self.order(list, admissions) {
            let id = list[index].item
            guard measured[id] == nil, let own = words.words(of: id) else { continue }
            let known = earlier == nil ? [] : words.first(own, length: Novelty.shingle)
            let finding = novelty.add(id: id, words: own.map(\.high), known: known)
            measured[id] = IndexedItem(item: id, words: finding.tokens, unique: finding.uniqueTokens, head: finding.head)
        }
        return list.map { measured[$0.item] ?? IndexedItem(item: $0.item, words: 0, unique: 0) }
    }

    /// Places in a list, in the order of the ledger.
    static func order(_ list: [AdmittedItem], _ admissions: [String: UInt64]) -> [Int] {
        func position(_ index: Int) -> UInt64 { admissions[list[index].contribution] ?? .max }
        return list.indices.sorted { (position($0), list[$0].item, $0) < (position($1), list[$1].item, $1) }
    }
}
