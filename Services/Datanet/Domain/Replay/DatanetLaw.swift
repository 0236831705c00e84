internal import Crypto
public import Decisions
public import Events
internal import JSON
public import Replay

/// Decides everything that Datanets did again: roles, reviews with their drawn panels, admissions, snapshots, access, votes and rulings.
public struct DatanetLaw: ReplayLaw {
    /// Datanet's.
    public static let service = Service.datanet
    /// Panels are drawn by the root of the tree that ends with the review's opening.
    public static let rooted: Set<String> = [ReviewOpened.type]

    let evidence: EvidenceShelf
    /// Of reviews without a panel: where they were opened, and the tree's root there.
    var openings: [String: (position: UInt64, root: Digest)] = [:]
    /// Whether a snapshot has said whose work it is, which older programs did not.
    private var saysShares = false

    /// Reads evidence there.
    public init(_ evidence: EvidenceShelf) { self.evidence = evidence }

    /// Nothing yet.
    public func makeState() -> DatanetState { DatanetState() }

    /// Notes where reviews are opened, and since when snapshots say whose work they are.
    public mutating func hear(_ fact: ReplayFact) {
        switch fact.fact.type {
        case ReviewOpened.type:
            if let review = fact.fact.data["review"]?.stringValue, let root = fact.root { openings[review] = (fact.position, root) }
        case ReviewDrawn.type, ReviewClosed.type:
            if let review = fact.fact.data["review"]?.stringValue { openings[review] = nil }
        case SnapshotPublished.type: saysShares = saysShares || fact.fact.data["shares"] != nil
        default: break
        }
    }

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: DatanetState, _ context: DecisionContext) throws -> Verdict {
        let moment = Moment(time: context.time, logTime: context.logTime, actor: context.actor) { context.newID($0, $1) }
        guard let verdict = try decided(append, state, moment) else { return .unknown }
        return Verdict(
            verdict.events.map { NewEvent($0.type, stream: $0.stream, data: $0.data) }, checked: verdict.checked, gaps: verdict.gaps)
    }

    /// A contribution that was passed over is missing.
    public func finish(_ state: DatanetState, logTime: Timestamp) -> Ending {
        var ending = Ending()
        for (position, id) in state.pending.sorted(by: { $0.key < $1.key }) {
            guard let contribution = state.contributions[id] else { continue }
            if contribution.time.microseconds + 60_000_000 < logTime.microseconds,
                state.contributions.values.contains(where: { $0.position > position && $0.status != .pending })
            {
                ending.missing.append(
                    (
                        position, ContributionScreened.type,
                        "the contribution \(id) was passed over: nothing was decided on it, and on later ones it was"
                    ))
            } else {
                ending.gaps.append(ReplayGap("contributions that wait for admission", why: "they are the newest"))
            }
        }
        return ending
    }

    struct Made {
        var events: [Decided]
        var checked: [String: Int] = [:]
        var gaps: [ReplayGap] = []

        init(_ events: [Decided], checked: [String: Int] = [:], gaps: [ReplayGap] = []) {
            self.events = events
            self.checked = checked
            self.gaps = gaps
        }
    }

    private static let texts = ReplayGap("reasons and pages", why: "free text is content, sealed under its writers' keys")

    private func decided(_ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made? {
        switch append.first.type {
        case DatanetCreated.type:
            let data: DatanetCreated = try append.data(DatanetCreated.self)
            return Made(try MembershipRules.create(data.domain, media: data.media, policy: data.policy, moment))
        case DatanetDescribed.type:
            let data: DatanetDescribed = try append.data(DatanetDescribed.self)
            return Made(try MembershipRules.describe(state, data.datanet, page: data.page, moment), gaps: [Self.texts])
        case MemberGranted.type:
            let data: MemberGranted = try append.data(MemberGranted.self)
            return Made(try MembershipRules.grant(state, data.datanet, to: data.principal, role: data.role, moment))
        case MemberRevoked.type:
            let data: MemberRevoked = try append.data(MemberRevoked.self)
            return Made(try MembershipRules.revoke(state, data.datanet, from: data.principal, role: data.role, moment))
        case SnapshotPublished.type: return try snapshot(append, state, moment)
        case AccessRequested.type:
            let data: AccessRequested = try append.data(AccessRequested.self)
            return Made(
                try AccessRules.request(state, data.datanet, purpose: data.purpose, reason: data.reason, moment), gaps: [Self.texts])
        case AccessGranted.type:
            let data: AccessGranted = try append.data(AccessGranted.self)
            let own = data.price == state.datanets[data.datanet]?.policy.price ? nil : data.price
            return Made(
                try AccessRules.grant(
                    state, data.datanet, to: data.grantee, purpose: data.purpose, price: own, expires: data.expires, moment))
        case AccessRevoked.type:
            let data: AccessRevoked = try append.data(AccessRevoked.self)
            return Made(try AccessRules.revoke(state, data.grant, moment))
        case AccessUsed.type:
            let data: AccessUsed = try append.data(AccessUsed.self)
            let isService = Service(rawValue: moment.actor) != nil || moment.actor == "runner"
            if let review = data.review {
                let contribution = state.reviews[review].flatMap { state.contributions[$0.contribution] }
                guard data.items <= contribution?.accepted ?? 0 else { throw Unlawful("/items is more than the contribution has") }
                return Made(try AccessRules.review(state, review, items: data.items, moment))
            }
            let snapshot = data.snapshot ?? ""
            guard data.items <= state.snapshots[snapshot]?.published.items ?? 0 else {
                throw Unlawful("/items is more than the snapshot has")
            }
            return Made(
                try AccessRules.use(
                    state, snapshot: snapshot, purpose: data.purpose, items: data.items, isService: isService,
                    sale: try sale(data, of: state.snapshots[snapshot]?.published), moment))
        case AccessSearched.type:
            let data: AccessSearched = try append.data(AccessSearched.self)
            try check(data, state)
            return Made(
                try SearchRules.search(state, data.datanet, query: data.query, found: data.items, moment), checked: ["searches": 1],
                gaps: [
                    ReplayGap(
                        "what searches asked for", why: "words are committed to with a salt that their reader has, and texts are content")
                ])
        case ProposalOpened.type, ProposalVoted.type, ProposalClosed.type, DatanetPolicyChanged.type:
            return try proposal(append, state, moment)
        case RulingMade.type:
            let data: RulingMade = try append.data(RulingMade.self)
            return Made(
                try RulingRules.make(
                    state, about: data.about, subject: data.subject, upheld: data.upheld, penalties: data.penalties, reason: data.reason,
                    pool: data.pool, moment),
                gaps: [ReplayGap("who may make a ruling", why: "tokens and scopes are not on the log")])
        default: return try review(append, state, moment)
        }
    }

    // MARK: Snapshots

    private func snapshot(_ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made {
        let data: SnapshotPublished = try append.data(SnapshotPublished.self)
        let datanet = try state.datanet(data.datanet)
        let tree = try SnapshotTree(try live(data.datanet, state))
        let list = try tree.list()
        let statistics = SnapshotStatistics(tree.items)
        guard let published = data.published else { throw Unlawful("/published is missing: the manifest says when it was made") }
        let manifest = try CroissantManifest(
            datanet: datanet, number: datanet.snapshots.count + 1, root: tree.root, list: (SHA256.hash(list), list.count),
            statistics: statistics, published: published, publisher: moment.actor,
            previous: datanet.snapshots.last.flatMap { state.snapshots[$0]?.published.root }
        ).bytes()
        guard data.shares != nil || !saysShares else {
            throw Unlawful("/shares is missing: earlier snapshots say whose work they are, and none goes back")
        }
        let events = try SnapshotRules.publish(
            state, data.datanet,
            SnapshotRules.Prepared(
                revision: datanet.revision, root: tree.root, list: SHA256.hash(list), manifest: SHA256.hash(manifest), published: published,
                statistics: statistics, shares: try data.shares.map { _ in try AccessRules.shares(tree.items, of: data.datanet).list }),
            moment)
        return Made(events, checked: ["snapshots' roots": 1, "snapshots' items": tree.items.count])
    }

    /// How a reading was paid: the hold that its event names, and the shares that the snapshot's list makes.
    private func sale(_ data: AccessUsed, of snapshot: SnapshotPublished?) throws -> AccessRules.Sale? {
        guard let snapshot, let hold = data.hold, let price = data.price else { return nil }
        let items = try evidence.entries(EvidenceList<AdmittedItem>.evidence(snapshot.list, count: snapshot.items))
        return AccessRules.Sale(price: price, hold: hold, shares: try AccessRules.shares(items, of: snapshot.datanet).list)
    }

    /// What a search shows is in the Datanet, and whose it says.
    private func check(_ search: AccessSearched, _ state: DatanetState) throws {
        for (id, found) in Dictionary(grouping: search.items, by: \.contribution) {
            var missing = Set(found)
            for list in state.contributions[id]?.admitted ?? [] where !missing.isEmpty {
                for entry in try evidence.entries(list) {
                    missing.remove(FoundItem(item: entry.item, contribution: entry.contribution, owner: entry.owner))
                }
            }
            if let item = missing.map(\.item).min() { throw Unlawful("/items has \(item), which is not so in \(search.datanet)") }
        }
    }

    /// The items that a Datanet has.
    func live(_ id: String, _ state: DatanetState) throws -> [AdmittedItem] {
        var items: [AdmittedItem] = []
        for contribution in try state.datanet(id).admitted.compactMap({ state.contributions[$0] }) {
            for list in contribution.admitted { items += try evidence.entries(list).filter { !state.isDropped($0) } }
        }
        return items
    }

    // MARK: Proposals

    private func proposal(_ append: ReplayedAppend, _ state: DatanetState, _ moment: Moment) throws -> Made {
        switch append.first.type {
        case ProposalOpened.type:
            let data: ProposalOpened = try append.data(ProposalOpened.self)
            let datanet = try state.datanet(data.datanet)
            var rows: [String: Int] = [:]
            if datanet.policy.voting == "row" { for item in try live(data.datanet, state) { rows[item.owner, default: 0] += 1 } }
            let roll = try ProposalRules.roll(state, data.datanet, rows: rows)
            return Made(
                try ProposalRules.open(
                    state, data.datanet, policy: data.policy, roll: roll, list: try EvidenceForm.of(roll).list, rows: rows,
                    revision: datanet.revision, moment), checked: ["electoral rolls": 1])
        case ProposalVoted.type:
            let data: ProposalVoted = try append.data(ProposalVoted.self)
            guard let proposal = state.proposals[data.proposal] else { throw Unlawful("there is no proposal \(data.proposal)") }
            let weight = try evidence.entries(proposal.opened.roll).first { $0.principal == moment.actor }?.weight
            return Made(try ProposalRules.vote(state, data.proposal, inFavour: data.inFavour, weight: weight, moment))
        case ProposalClosed.type:
            let data: ProposalClosed = try append.data(ProposalClosed.self)
            return Made(try ProposalRules.close(state, data.proposal, moment))
        default:
            let data: DatanetPolicyChanged = try append.data(DatanetPolicyChanged.self)
            guard let proposal = data.proposal else { throw Unlawful("changes a policy without a proposal") }
            return Made(try ProposalRules.enact(state, proposal, moment))
        }
    }
}
