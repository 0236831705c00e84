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
    }

    let inference: InferenceCompleted
    let trigger: Trigger
    let model: ModelPublished?
    let sources: [Source]
    /// The artefact with the training items' rows.
    let rows: Digest?
    let admissions: [String: UInt64]
    let withdrawals: Withdrawals
    let verified: [String: UInt64]
}

extension AttributionState {
    /// The first answers that wait, each with what stood on the log before it.
    func tasks(limit: Int) -> [AttributionTask] { waiting.first(limit).map(task) }

    private func task(_ entry: WaitingInferences.Entry) -> AttributionTask {
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
            admissions: admissions, withdrawals: withdrawals, verified: verified)
    }
}
