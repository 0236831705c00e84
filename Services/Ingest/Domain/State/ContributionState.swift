public import Events

/// A contribution as the log tells it.
public struct ContributionState: Sendable {
    /// What was submitted.
    public let submitted: ContributionSubmitted
    /// When.
    public let time: Timestamp
    /// What screening said; nil between the two events.
    public internal(set) var screened: ContributionScreened?
    /// Items whose consent was taken back.
    public internal(set) var withdrawn: ItemSet = .none
    /// How many items of it its Datanet took.
    public internal(set) var admitted = 0
    /// Whether it was taken back or erased as a whole, which makes room for others.
    var isReleased = false
    /// Items whose content was erased.
    public internal(set) var erased: ItemSet = .none
}

/// What one contribution has of one author whom it names.
public struct AuthoredWork: Sendable, Hashable {
    /// The contribution.
    public let contribution: String
    /// The author's account.
    public let author: String

    /// From its parts.
    public init(contribution: String, author: String) {
        self.contribution = contribution
        self.author = author
    }
}

/// Some or all items of a contribution.
public enum ItemSet: Sendable, Hashable {
    /// These.
    case some(Set<String>)
    /// All there are.
    case all

    /// No item.
    public static let none = ItemSet.some([])

    /// Whether an item is among them.
    public func contains(_ item: String) -> Bool {
        switch self {
        case .all: true
        case .some(let items): items.contains(item)
        }
    }

    /// Adds items; none named means all.
    mutating func add(_ items: [String]) {
        guard case .some(var all) = self else { return }
        // Held in one place, or each addition would copy all that there is.
        self = items.isEmpty ? .all : .none
        if items.isEmpty { return }
        all.formUnion(items)
        self = .some(all)
    }
}
