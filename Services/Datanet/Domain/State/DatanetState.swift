public import Events

/// Everything this service must remember to decide: a fold of the log.
///
/// Its own events come in the order of its decisions, those of others in the log's; between the two the order may differ by a
/// moment, and the state is the same either way: whatever an own event rests on stands in its data, and what others do
/// (screening, withdrawal, erasure, stakes) is kept beside it, never mixed into it.
public struct DatanetState: Sendable {
    /// All Datanets by id.
    public internal(set) var datanets: [String: Datanet] = [:]
    /// Screened contributions by id.
    public internal(set) var contributions: [String: Contribution] = [:]
    /// Reviews by id.
    public internal(set) var reviews: [String: Review] = [:]
    /// Traps by id.
    public internal(set) var traps: [String: Trap] = [:]
    /// Proposals by id.
    public internal(set) var proposals: [String: Proposal] = [:]
    /// Requests for access by id.
    public internal(set) var requests: [String: AccessRequested] = [:]
    /// Grants by id.
    public internal(set) var grants: [String: Grant] = [:]
    /// When a price was last paid.
    public internal(set) var paid: [Paid: Timestamp] = [:]
    /// Snapshots by id.
    public internal(set) var snapshots: [String: Snapshot] = [:]
    /// Rulings by id.
    public internal(set) var rulings: [String: RulingMade] = [:]
    /// Bonded minor units: pool, principal, asset.
    public internal(set) var stakes: [String: [String: [String: Int128]]] = [:]
    /// Screened contributions that nothing was decided about yet, by the position of their event: to do, lowest first.
    public internal(set) var pending: [UInt64: String] = [:]
    /// Reviews without a panel: to do.
    public internal(set) var undrawn: Set<String> = []
    /// Reviews with a panel and no end: to watch.
    public internal(set) var sitting: Set<String> = []
    /// Proposals that take votes, or wait to take effect: to watch.
    public internal(set) var openProposals: Set<String> = []

    /// Consent taken back, by contribution.
    var withdrawals: [String: Withdrawal] = [:]
    /// Where the last erasure of all that an owner had stands in the log.
    var erasedOwners: [String: UInt64] = [:]
    /// Items erased one by one, whatever their contribution.
    var erasedItems: Set<String> = []
    /// Whose the accounts are of authors whom others named.
    var authors: [String: String] = [:]
    /// How many own events were folded: orders them among themselves.
    var sequence = 0

    /// Before the first event.
    public init() {}

    /// Whether an item may no longer be used: withdrawn or erased since it was screened.
    public func isDropped(item: String, contribution: String, owner: String) -> Bool {
        if erasedItems.contains(item) || withdrawals[contribution]?.covers(item) == true { return true }
        guard let erased = erasedOwners[owner] else { return false }
        guard let screened = contributions[contribution]?.position else { return true }
        return erased > screened
    }

    /// What of an admitted list may still be used.
    public func isDropped(_ item: AdmittedItem) -> Bool {
        isDropped(item: item.item, contribution: item.contribution, owner: item.owner)
    }

    /// What a principal has bonded for a Datanet, in minor units of the asset.
    public func stake(of principal: String, in datanet: String, asset: String) -> Int128 {
        stakes[datanet]?[principal]?[asset] ?? 0
    }

    /// The Datanet, or a refusal.
    public func datanet(_ id: String) throws(DatanetRefusal) -> Datanet {
        guard let datanet = datanets[id] else { throw .unknown("datanet", id) }
        return datanet
    }

    /// The Datanet that an item's contribution is in.
    public func contribution(_ id: String) throws(DatanetRefusal) -> Contribution {
        guard let contribution = contributions[id] else { throw .unknown("contribution", id) }
        return contribution
    }
}

extension DatanetState {
    /// What a price was paid for.
    public struct Paid: Sendable, Hashable {
        let grant, snapshot: String
    }
}

/// Consent taken back.
enum Withdrawal: Sendable, Hashable {
    case all
    case items(Set<String>)

    func covers(_ item: String) -> Bool {
        switch self {
        case .all: true
        case .items(let items): items.contains(item)
        }
    }

    mutating func add(_ more: [String]) {
        guard !more.isEmpty, case .items(let old) = self else {
            self = .all
            return
        }
        self = .items(old.union(more))
    }
}
