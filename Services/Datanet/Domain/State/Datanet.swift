public import Crypto
public import Events
internal import Money

/// One Datanet.
public struct Datanet: Sendable {
    /// Its id.
    public let id: String
    /// What it is about.
    public let domain: String
    /// `text`, `image` or `audio`.
    public let media: String
    /// When it was created.
    public let created: Timestamp
    /// Its rules.
    public internal(set) var policy: DatanetPolicy
    /// Roles by principal.
    public internal(set) var members: [String: Set<Role>] = [:]
    /// Who may not contribute any more.
    public internal(set) var barred: Set<String> = []
    /// Who was put out as a consumer, and may not come back without being let in.
    public internal(set) var expelled: Set<String> = []
    /// Consumers who came by themselves: where reading has a price, their role is no right to it.
    public internal(set) var guests: Set<String> = []
    /// Contributions with admitted items, in the order of their admission.
    public internal(set) var admitted: [String] = []
    /// How many items were admitted, but for contributions that were taken back, erased or turned out as a whole: what a snapshot of it may have
    /// at most.
    public internal(set) var items = 0
    /// Its snapshots' ids, the first one's number being 1.
    public internal(set) var snapshots: [String] = []
    /// Commitment to its page.
    public internal(set) var page: Digest?
    /// Who wrote the page, and thus whose key seals it.
    public internal(set) var pageAuthor: String?
    /// Raised by whatever changes which items it has.
    public internal(set) var revision = 0

    /// How long its votes take and what they cost.
    public var governance: GovernanceTerms { policy.governance ?? .standard }

    /// Whether the principal has the role.
    public func has(_ principal: String, _ role: Role) -> Bool { members[principal]?.contains(role) == true }

    /// Whether the principal has one of the roles.
    public func has(_ principal: String, _ roles: Set<Role>) -> Bool { members[principal].map { !$0.isDisjoint(with: roles) } ?? false }

    /// Whether reading costs nothing.
    public var isFree: Bool { policy.price.map { !$0.isPositive } ?? true }

    /// Whether the principal may take the role without being asked: in an open Datanet a contributor's, and a consumer's where reading is free.
    func mayJoin(_ principal: String, as role: Role) -> Bool {
        guard policy.access == "open", !barred.contains(principal) else { return false }
        switch role {
        case .contributor: return true
        case .consumer: return isFree && !expelled.contains(principal)
        default: return false
        }
    }

    /// Whether the principal's role lets them read.
    public func readsByRole(_ principal: String) -> Bool {
        if has(principal, [.owner, .curator]) { return true }
        return has(principal, .consumer) && (isFree || !guests.contains(principal))
    }

    /// Whether the principal may contribute.
    public func mayContribute(_ principal: String) -> Bool {
        if barred.contains(principal) { return false }
        return policy.access == "open" || has(principal, [.owner, .curator, .contributor])
    }
}

/// A contribution that has been screened.
public struct Contribution: Sendable {
    /// What came of it.
    public enum Status: Sendable, Hashable {
        /// Nothing yet.
        case pending
        /// It is before a panel.
        case inReview(String)
        /// Items of it are in the Datanet.
        case admitted
        /// None are.
        case refused(String)
    }

    /// Its id.
    public let id: String
    /// Where it is meant to go.
    public let datanet: String
    /// Who submitted it.
    public let contributor: String
    /// `contribution.screened`.
    public let event: EventID
    /// Where that event stands.
    public let position: UInt64
    /// That event's time.
    public let time: Timestamp
    /// That event's trace.
    public let correlation: String
    /// Each item as screening saw it.
    public let items: EvidenceList<ScreenedItem>
    /// Items that passed.
    public let accepted: Int
    /// What came of it.
    public internal(set) var status = Status.pending
    /// Lists of admitted items.
    public internal(set) var admitted: [EvidenceList<AdmittedItem>] = []
    /// Its reviews in order.
    public internal(set) var reviews: [String] = []
    /// When its status was last decided.
    public internal(set) var decided: Timestamp?
    /// Whether its items no longer count among the Datanet's.
    var isReleased = false
    /// Whether its appeal has been heard or is being heard.
    public internal(set) var isAppealed = false
}
