internal import AttributionDomain
internal import Crypto
internal import Events

/// What an answer is attributed by.
struct AttributionTask: Sendable {
    /// A snapshot that is searched.
    struct Source: Sendable {
        let published: SnapshotPublished
        let trigger: Trigger
        let index: IndexBuilt?
        /// Whether passages were taken from it, and the model did not learn from it.
        let isRetrieval: Bool

        /// Its index as the ledger has it; nil where there is none.
        var ledgerIndex: LedgerIndex? { index.map { LedgerIndex(published: published, position: trigger.position, built: $0) } }
    }

    let inference: InferenceCompleted
    let trigger: Trigger
    let model: ModelPublished?
    let sources: [Source]
    /// The artefact with the training items' rows.
    let rows: Digest?
    let admissions: [String: UInt64]
    let withdrawals: Withdrawals
    let owners: OwnerNames
}

/// A snapshot to be indexed.
struct IndexTask: Sendable {
    let snapshot: AttributionState.Snapshot
    /// The snapshots of its Datanet before it, oldest first, and the index of the last of them.
    let before: [SnapshotPublished]
    let previous: IndexBuilt?
    let admissions: [String: UInt64]
}

extension AttributionState {
    /// The oldest snapshot without an index, but for those that can never have one.
    func indexTask(without skipped: Set<String>) -> IndexTask? {
        guard let snapshot = unindexed.first(where: { !skipped.contains($0) }).flatMap({ snapshots[$0] }) else { return nil }
        let before = history(before: snapshot.published.snapshot)
        return IndexTask(
            snapshot: snapshot, before: before, previous: before.last.flatMap { indexes[$0.snapshot] }, admissions: admissions)
    }

    /// An answer with what stood on the log before it.
    func task(_ entry: WaitingInferences.Entry) -> AttributionTask {
        let model = models[ModelKey(model: entry.completed.model, version: entry.completed.version)]
        var sources: [AttributionTask.Source] = []
        var seen: Set<String> = []
        func add(_ id: String, isRetrieval: Bool) {
            guard let snapshot = snapshots[id], snapshot.trigger.position < entry.trigger.position, seen.insert(id).inserted else { return }
            sources.append(
                AttributionTask.Source(
                    published: snapshot.published, trigger: snapshot.trigger, index: indexes[id], isRetrieval: isRetrieval))
        }
        for reference in model?.snapshots ?? [] { add(reference.snapshot, isRetrieval: false) }
        for datanet in model?.retrieval ?? [] {
            let latest = snapshotsOfDatanet[datanet]?.last { snapshots[$0].map { $0.trigger.position < entry.trigger.position } ?? false }
            if let latest { add(latest, isRetrieval: true) }
        }
        return AttributionTask(
            inference: entry.completed, trigger: entry.trigger, model: model, sources: sources, rows: model?.job.flatMap { rows[$0] },
            admissions: admissions, withdrawals: withdrawals, owners: owners)
    }
}
