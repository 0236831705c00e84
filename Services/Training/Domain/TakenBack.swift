public import Events

/// What people took back: items whose consent was withdrawn, and items whose content was erased.
public struct TakenBack: Sendable {
    private var contributions: Set<String> = []
    private var items: Set<String> = []
    /// When all of somebody's content was erased, the last time.
    private var owners: [String: Timestamp] = [:]

    mutating func add(_ withdrawn: ContributionWithdrawn) {
        if withdrawn.items.isEmpty { contributions.insert(withdrawn.contribution) } else { items.formUnion(withdrawn.items) }
    }

    mutating func add(_ erased: ContentErased, at time: Timestamp) {
        if !erased.items.isEmpty {
            items.formUnion(erased.items)
        } else if let contribution = erased.contribution {
            contributions.insert(contribution)
        } else {
            owners[erased.owner] = time
        }
    }

    /// Whether an item of a snapshot is handed out no more.
    /// - Parameter published: when the snapshot was made; what somebody brings after erasing everything is new.
    public func has(_ item: AdmittedItem, publishedAt published: Timestamp) -> Bool {
        items.contains(item.item) || contributions.contains(item.contribution) || owners[item.owner].map { $0 >= published } ?? false
    }

    /// Whether nothing was ever taken back.
    public var isEmpty: Bool { contributions.isEmpty && items.isEmpty && owners.isEmpty }
}
