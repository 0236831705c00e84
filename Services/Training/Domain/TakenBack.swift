public import Events

/// What people took back: items whose consent was withdrawn, and items whose content was erased.
public struct TakenBack: Sendable {
    private var contributions: [String: Timestamp] = [:]
    private var items: [String: Timestamp] = [:]
    /// When all of somebody's content was erased, the last time.
    private var owners: [String: Timestamp] = [:]

    mutating func add(_ withdrawn: ContributionWithdrawn, at time: Timestamp) {
        if withdrawn.items.isEmpty { add(contribution: withdrawn.contribution, time) } else { add(items: withdrawn.items, time) }
    }

    /// What is taken back twice was taken back the first time.
    private mutating func add(contribution: String, _ time: Timestamp) { contributions[contribution] = contributions[contribution] ?? time }

    private mutating func add(items gone: [String], _ time: Timestamp) { for item in gone { items[item] = items[item] ?? time } }

    mutating func add(_ erased: ContentErased, at time: Timestamp) {
        if !erased.items.isEmpty {
            add(items: erased.items, time)
        } else if let contribution = erased.contribution {
            add(contribution: contribution, time)
        } else {
            owners[erased.owner] = time
        }
    }

    /// Whether an item of a snapshot is handed out no more.
    /// - Parameter published: when the snapshot was made; what somebody brings after erasing everything is new.
    public func has(_ item: AdmittedItem, publishedAt published: Timestamp) -> Bool {
        items[item.item] != nil || contributions[item.contribution] != nil || owners[item.owner].map { $0 >= published } ?? false
    }

    /// Whether an item of a snapshot was taken back at that moment or after it.
    public func has(_ item: AdmittedItem, publishedAt published: Timestamp, since moment: Timestamp) -> Bool {
        let owner = owners[item.owner].flatMap { $0 >= published ? $0 : nil }
        return [items[item.item], contributions[item.contribution], owner].contains { $0.map { $0 >= moment } ?? false }
    }

    /// Whether nothing was ever taken back.
    public var isEmpty: Bool { contributions.isEmpty && items.isEmpty && owners.isEmpty }
}
