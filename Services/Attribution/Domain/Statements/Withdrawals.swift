public import Events

/// Items that were taken back, and where on the log: an answer given before still pays for them, one given after does not.
public struct Withdrawals: Sendable {
    private var contributions: [String: UInt64] = [:]
    private var items: [String: [String: UInt64]] = [:]
    private var owners: [String: Milestones] = [:]
    private var positions = Milestones()
    /// Where the last one stands; nil when there is none.
    public var last: UInt64? { positions.last }

    /// Nothing was taken back.
    public init() {}

    /// Notes a withdrawal of items, or of a whole contribution when none are named.
    public mutating func withdraw(contribution: String, items names: [String], at position: UInt64) {
        positions.add(position)
        if names.isEmpty { contributions[contribution] = min(contributions[contribution] ?? .max, position) }
        for name in names {
            items[contribution, default: [:]][name] = min(items[contribution]?[name] ?? .max, position)
        }
    }

    /// Notes that everything of an owner is gone.
    public mutating func erase(owner: String, at position: UInt64) {
        positions.add(position)
        owners[owner, default: Milestones()].add(position)
    }

    /// Where the last one before a position stands: between two of them nothing changes.
    public func last(before position: UInt64) -> UInt64? { positions.last(before: position) }

    /// Whether an item had been taken back before a position. What an owner brings after an erasure is not touched by it.
    public func isGone(_ item: AdmittedItem, admitted: UInt64, before position: UInt64) -> Bool {
        if let gone = contributions[item.contribution], gone < position { return true }
        if let gone = items[item.contribution]?[item.item], gone < position { return true }
        if let gone = owners[item.owner]?.last(before: position), admitted < gone { return true }
        return false
    }
}
