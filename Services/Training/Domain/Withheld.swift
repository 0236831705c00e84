internal import Events
public import JSON

/// What a job that repeats another is ordered without, and whose result it shall replace: the evidence that the order names.
public struct Withheld: Sendable {
    /// What was taken back, in the snapshots' order.
    public let items: [TakenBackItem]
    /// Its length together.
    public let tokens: Int
    private let replaced: JobCompleted

    /// - Throws: ``TrainingError/wrongState(_:)`` where the job made nothing.
    public init(from job: TrainingJob, _ parts: [SnapshotItems], _ state: TrainingState) throws(TrainingError) {
        guard let completed = job.completed else { throw .wrongState("job \(job.request.job) is \(job.status.rawValue)") }
        replaced = completed
        var items: [TakenBackItem] = []
        var tokens = 0
        for part in parts {
            let gone = part.takenBack(state)
            items += gone.map { TakenBackItem(datanet: part.reference.datanet, item: $0.item) }
            tokens += gone.reduce(0) { $0 + $1.tokens }
        }
        (self.items, self.tokens) = (items, tokens)
    }

    /// As it lies in the evidence store.
    public var json: JSONValue {
        [
            "replaces": .string(replaced.job), "adapter": .digest(replaced.adapter), "record": .digest(replaced.record),
            "items": .array(items.map { ["datanet": .string($0.datanet), "item": .string($0.item)] }), "tokens": .count(tokens),
        ]
    }
}
