internal import AttributionDomain
internal import CorpusIndex
internal import Events

/// An index as the ledger has it: of which snapshot, and what it was when it was built.
struct LedgerIndex: Sendable {
    let published: SnapshotPublished
    /// Where the snapshot stands on the log.
    let position: UInt64
    let built: IndexBuilt

    /// What of its snapshot's items had been taken back before a position.
    func gone(
        _ list: [AdmittedItem], _ withdrawals: Withdrawals, _ admissions: [String: UInt64], before limit: UInt64
    ) -> [AdmittedItem] {
        list.filter { withdrawals.isGone($0, admitted: admissions[$0.contribution] ?? position, before: limit) }
    }
}

extension LedgerIndex {
    /// What of an index it cannot have had when it was built: an item that was not there, or that was of another length.
    static func fault(_ index: CorpusIndex, measures: [IndexedItem]) -> String? {
        guard !measures.isEmpty else { return nil }
        var words: [String: Int] = [:]
        for measure in measures { words[measure.item] = measure.words }
        for (id, tokens) in index.items() where words[id] != tokens {
            return "its item \(id) has \(tokens) words, and had \(words[id].map(String.init) ?? "none") when it was built"
        }
        return nil
    }
}

/// An index as it was before some position of the log.
struct IndexView: Sendable {
    /// What it was made of: the files as they are.
    let base: CorpusIndex
    /// Without what had been taken back.
    let index: CorpusIndex
    /// Whether it has all that it had then: false where files were lost and the texts of some items with them.
    let isWhole: Bool
    /// An item that it lacks and that nobody has taken back, as far as the log was read.
    let unexplained: String?
}

/// The snapshots of its Datanet before a snapshot, oldest first.
struct SnapshotHistory: Sendable {
    let before: @Sendable (_ snapshot: String) async throws -> [SnapshotPublished]
}

extension AttributionState {
    /// The snapshots of its Datanet before a snapshot, oldest first.
    func history(before snapshot: String) -> [SnapshotPublished] {
        guard let published = snapshots[snapshot]?.published else { return [] }
        return (snapshotsOfDatanet[published.datanet] ?? []).prefix { $0 != snapshot }.compactMap { snapshots[$0]?.published }
    }

    /// The index of a snapshot; nil where the ledger has none.
    func ledgerIndex(of snapshot: String) -> LedgerIndex? {
        guard let known = snapshots[snapshot], let built = indexes[snapshot] else { return nil }
        return LedgerIndex(published: known.published, position: known.trigger.position, built: built)
    }
}
