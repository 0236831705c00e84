public import Events

/// What one snapshot has and another has not.
public struct SnapshotDiff: Sendable, Hashable {
    /// Items that only the later one has, in canonical order.
    public let added: [AdmittedItem]
    /// Items that only the earlier one has, in canonical order.
    public let removed: [AdmittedItem]
    /// How many both have.
    public let kept: Int

    /// From one snapshot's items to another's. An item with anything changed counts as removed and added.
    public init(from old: [AdmittedItem], to new: [AdmittedItem]) {
        let before = Set(old)
        let after = Set(new)
        added = new.filter { !before.contains($0) }.sorted(by: SnapshotTree.precedes)
        removed = old.filter { !after.contains($0) }.sorted(by: SnapshotTree.precedes)
        kept = after.intersection(before).count
    }
}
