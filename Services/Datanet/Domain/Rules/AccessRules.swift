public import Crypto
public import Events
public import Money

/// Who may read, and that every reading is known.
public enum AccessRules {
    /// What access can be for.
    public static let purposes: Set<String> = ["read", "train", "retrieve"]

    /// By what right somebody reads.
    public enum Right: Sendable, Hashable {
        /// A role in the Datanet.
        case role
        /// A grant.
        case grant(String)
    }

    /// The right of a principal to read a Datanet's snapshots at this log time; nil for none. Owners, curators and consumers read by
    /// role, who became a consumer by themselves only while that is free; everybody else by a grant. What validators review they read by
    /// ``review(_:_:items:_:)``.
    public static func right(_ state: DatanetState, _ id: String, of principal: String, purpose: String?, at logTime: Timestamp) -> Right? {
        guard let datanet = state.datanets[id] else { return nil }
        if datanet.readsByRole(principal) { return .role }
        let grants = state.grants.values.filter {
            $0.terms.datanet == id && $0.terms.grantee == principal && $0.holds(at: logTime)
                && (purpose == nil || $0.terms.purpose == purpose)
        }
        return grants.map(\.terms.grant).min().map { .grant($0) }
    }

    /// Asks to be let in.
    public static func request(_ state: DatanetState, _ id: String, purpose: String, reason: Digest?, _ moment: Moment) throws -> [Decided]
    {
        _ = try state.datanet(id)
        try check(purpose)
        let request = moment.newID("ar", 0)
        return [
            try Decided(
                AccessRequested(request: request, datanet: id, requester: moment.actor, purpose: purpose, reason: reason), "access", request
            )
        ]
    }

    /// Lets somebody in. What it costs is the policy's price unless the owner says otherwise.
    public static func grant(
        _ state: DatanetState, _ id: String, to grantee: String, purpose: String, price: Amount?, expires: Timestamp?, _ moment: Moment
    ) throws -> [Decided] {
        let datanet = try state.datanet(id)
        try check(purpose)
        guard datanet.has(moment.actor, [.owner, .curator]) else { throw DatanetRefusal.notAllowed("owners and curators grant access") }
        guard price == nil || datanet.has(moment.actor, .owner) else {
            throw DatanetRefusal.notAllowed("only an owner asks another price than the policy's")
        }
        if let price, price.isNegative { throw DatanetRefusal(.unprocessable, "bad-price", "a price is not negative") }
        if let expires, expires <= moment.logTime {
            throw DatanetRefusal(.unprocessable, "expired", "a grant ends after it begins; \(expires) is over")
        }
        let grant = moment.newID("gr", 0)
        return [
            try Decided(
                AccessGranted(
                    grant: grant, datanet: id, grantee: grantee, purpose: purpose, price: price ?? datanet.policy.price, expires: expires),
                "access", grant)
        ]
    }

    /// Ends a grant before its time. Its holder may too.
    public static func revoke(_ state: DatanetState, _ id: String, _ moment: Moment) throws -> [Decided] {
        guard let grant = state.grants[id] else { throw DatanetRefusal.unknown("grant", id) }
        let datanet = try state.datanet(grant.terms.datanet)
        guard datanet.has(moment.actor, [.owner, .curator]) || grant.terms.grantee == moment.actor else {
            throw DatanetRefusal.notAllowed("owners, curators and the holder end a grant")
        }
        guard !grant.isRevoked else { throw DatanetRefusal(.conflict, "revoked-already", "\(id) has been revoked") }
        return [try Decided(AccessRevoked(grant: id, datanet: datanet.id), "access", id)]
    }

    /// How long a price that was paid lets its reader come back to the same snapshot, in seconds: a line that broke costs nothing more.
    public static let paidFor = 86_400

    /// The grant by which a principal reads a snapshot, and what that costs now: of several the cheapest, one whose price was paid a moment ago
    /// being free, and of those the first by name. A grant's price is that of one reading; what models learn in the house and what they look
    /// up is paid by the trainings' and the answers' fees.
    static func cheapest(
        _ state: DatanetState, _ snapshot: SnapshotPublished, of reader: String, purpose: String, at logTime: Timestamp
    ) -> (grant: String, price: Amount?)? {
        let grants = state.grants.values.map(\.terms).filter {
            $0.datanet == snapshot.datanet && $0.grantee == reader && $0.purpose == purpose
                && state.grants[$0.grant]?.holds(at: logTime) == true
        }
        let costs = grants.map { terms -> (grant: String, price: Amount?) in
            guard let price = terms.price, price.isPositive, snapshot.items > 0 else { return (terms.grant, nil) }
            let paid = state.paid[DatanetState.Paid(grant: terms.grant, snapshot: snapshot.snapshot)]
            let isPaid = paid.map { logTime.microseconds - $0.microseconds < Int64(paidFor) * 1_000_000 } ?? false
            return (terms.grant, isPaid ? nil : price)
        }
        return costs.min { ($0.price?.units ?? 0, $0.grant) < ($1.price?.units ?? 0, $1.grant) }
    }

    /// What it costs a principal to read so many items of a snapshot now; nil for nothing.
    public static func due(
        _ state: DatanetState, snapshot id: String, of reader: String, purpose: String, items: Int, at logTime: Timestamp
    ) -> Amount? {
        guard items > 0, let snapshot = state.snapshots[id]?.published, state.datanets[snapshot.datanet]?.readsByRole(reader) != true else {
            return nil
        }
        return cheapest(state, snapshot, of: reader, purpose: purpose, at: logTime)?.price
    }

    /// Where the price of a reading comes from and goes to.
    public struct Sale: Sendable {
        /// What it costs.
        public let price: Amount
        /// Billing's hold over the price.
        public let hold: String
        /// Whose work is in the snapshot.
        public let shares: EvidenceList<AttributionShare>

        /// From its parts.
        public init(price: Amount, hold: String, shares: EvidenceList<AttributionShare>) {
            self.price = price
            self.hold = hold
            self.shares = shares
        }
    }

    /// Whose work a snapshot is, by tokens, or by items where these have none, as images and recordings, with the bytes for the evidence store when the list is too long for an event.
    public static func shares(_ items: [AdmittedItem], of datanet: String) throws -> (
        list: EvidenceList<AttributionShare>, evidence: [UInt8]?
    ) {
        var items = items
        if items.allSatisfy({ $0.tokens == 0 }) { for place in items.indices { items[place].tokens = 1 } }
        return try EvidenceForm.of(try TokenShares.of([(datanet: datanet, items: items)]))
    }

    /// Notes that content goes out: one event for one export, before its first byte.
    /// - Parameters:
    ///   - isService: whether a service of the system reads, which needs no grant.
    ///   - sale: how a price is paid; looked at only where one is due.
    public static func use(
        _ state: DatanetState, snapshot id: String, purpose: String, items: Int, isService: Bool, sale: Sale? = nil, _ moment: Moment
    ) throws -> [Decided] {
        guard let snapshot = state.snapshots[id] else { throw DatanetRefusal.unknown("snapshot", id) }
        try check(purpose)
        let datanet = snapshot.published.datanet
        var grant: String?
        if !isService {
            guard let right = right(state, datanet, of: moment.actor, purpose: purpose, at: moment.logTime) else {
                throw DatanetRefusal(
                    .forbidden, "no-grant", "\(moment.actor) has no grant of \(datanet) for \(purpose) that holds now: ask for one")
            }
            if case .grant = right {
                grant = cheapest(state, snapshot.published, of: moment.actor, purpose: purpose, at: moment.logTime)?.grant
            }
        }
        let price =
            isService
            ? nil
            : due(
                state, snapshot: id, of: moment.actor, purpose: purpose, items: items, at: moment.logTime)
        // It had been paid for, or cost something else, when this was prepared.
        if let price, sale?.price != price { throw DatanetRefusal.stale }
        let paid = price == nil ? nil : sale
        let access = moment.newID("ac", 0)
        return [
            try Decided(
                AccessUsed(
                    access: access, datanet: datanet, snapshot: id, reader: moment.actor, grant: grant, purpose: purpose, items: items,
                    price: price, hold: paid?.hold, shares: paid?.shares),
                "access", access)
        ]
    }

    /// Notes that a member of a panel reads what the panel decides on: for as long as the review is open, and nothing else.
    public static func review(_ state: DatanetState, _ id: String, items: Int, _ moment: Moment) throws -> [Decided] {
        guard let review = state.reviews[id] else { throw DatanetRefusal.unknown("review", id) }
        guard let draw = review.draw, draw.panel.contains(moment.actor), try state.datanet(review.datanet).has(moment.actor, .validator)
        else {
            throw DatanetRefusal.notAllowed("\(moment.actor) is not on the panel of \(id)")
        }
        guard review.outcome == nil, moment.logTime < draw.closes else {
            throw DatanetRefusal(.conflict, "voting-is-over", "the panel of \(id) reads no longer")
        }
        let access = moment.newID("ac", 0)
        return [
            try Decided(
                AccessUsed(access: access, datanet: review.datanet, review: id, reader: moment.actor, purpose: "review", items: items),
                "access", access)
        ]
    }

    private static func check(_ purpose: String) throws(DatanetRefusal) {
        guard purposes.contains(purpose) else {
            throw DatanetRefusal(.unprocessable, "bad-purpose", "a purpose is read, train or retrieve")
        }
    }
}
