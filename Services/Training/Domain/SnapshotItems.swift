public import Events

/// The items of a snapshot that a job learns from.
public struct SnapshotItems: Sendable {
    /// The snapshot.
    public let reference: SnapshotReference
    /// What it has.
    public let items: [AdmittedItem]

    /// From its parts.
    public init(_ reference: SnapshotReference, _ items: [AdmittedItem]) {
        self.reference = reference
        self.items = items
    }

    /// The items that are handed out no more.
    public func takenBack(_ state: TrainingState) -> [AdmittedItem] {
        guard !state.takenBack.isEmpty, let published = state.published[reference.snapshot] else { return [] }
        return items.filter { state.takenBack.has($0, publishedAt: published) }
    }

    /// Whether an item was taken back at that moment or after it.
    func isTakenFrom(since moment: Timestamp, _ state: TrainingState) -> Bool {
        guard !state.takenBack.isEmpty, let published = state.published[reference.snapshot] else { return false }
        return items.contains { state.takenBack.has($0, publishedAt: published, since: moment) }
    }
}
