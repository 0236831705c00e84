public import Crypto
public import Events
internal import Money

/// Panels: who sits, who votes, what it comes to.
public enum ReviewRules {
    /// Seats and quorum of a Datanet's panels. One that admits automatically and says nothing of panels has three seats and a quorum
    /// of two, for appeals.
    public static func terms(_ policy: DatanetPolicy) -> (seats: Int, quorum: Int) {
        let fits = PolicyRules.panels.contains(policy.panel) && policy.quorum <= policy.panel && policy.quorum * 2 > policy.panel
        return fits ? (policy.panel, policy.quorum) : (3, 2)
    }

    /// The validators of a Datanet with the stake bonded, now. A review's event has them: who comes or goes once the seed of the draw is
    /// known changes nothing in it.
    public static func validators(_ state: DatanetState, _ datanet: Datanet) -> [String] {
        datanet.members.filter { principal, roles in
            guard roles.contains(.validator) else { return false }
            guard let stake = datanet.policy.stake else { return true }
            return state.stake(of: principal, in: datanet.id, asset: stake.asset.text) >= stake.units
        }.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Who can be drawn: who was a validator with the stake bonded as the review was opened, has no part in the matter and did not sit on it
    /// before.
    /// - Parameter owners: of the contribution's items.
    public static func candidates(_ state: DatanetState, _ review: Review, owners: Set<String>) -> [String] {
        guard let datanet = state.datanets[review.datanet] else { return [] }
        var excluded = owners
        if let contribution = state.contributions[review.contribution] {
            excluded.insert(contribution.contributor)
            for earlier in contribution.reviews { excluded.formUnion(state.reviews[earlier]?.draw?.panel ?? []) }
        }
        if let appellant = review.appellant { excluded.insert(appellant) }
        return (review.candidates ?? validators(state, datanet)).filter { !excluded.contains($0) }
    }

    /// Opens a review of a contribution, the first one or on appeal.
    static func open(_ state: DatanetState, _ contribution: Contribution, round: Int, reason: Digest? = nil, _ moment: Moment) throws
        -> Decided
    {
        let review = moment.newID("rv", 0)
        let datanet = try state.datanet(contribution.datanet)
        return try Decided(
            ReviewOpened(
                review: review, datanet: datanet.id, contribution: contribution.id, round: round,
                appeals: round > 1 ? contribution.reviews.last : nil, appellant: round > 1 ? moment.actor : nil, reason: reason,
                candidates: validators(state, datanet)), "review", review)
    }

    /// Reacts to `review.opened`: draws a panel, or ends the review where there are fewer candidates than a quorum.
    /// - Parameters:
    ///   - size: one more than the position of `review.opened`.
    ///   - root: the log's root at that size.
    public static func draw(_ state: DatanetState, _ id: String, size: Int, root: Digest, owners: Set<String>, _ moment: Moment) throws
        -> [Decided]
    {
        guard let review = state.reviews[id], review.draw == nil, review.outcome == nil else { return [] }
        let datanet = try state.datanet(review.datanet)
        let (seats, quorum) = terms(datanet.policy)
        let candidates = candidates(state, review, owners: owners)
        guard candidates.count >= quorum else {
            let closed = ReviewClosed(review: id, datanet: datanet.id, outcome: "unstaffed", admit: 0, refuse: 0)
            let contribution = try state.contribution(review.contribution)
            let end =
                review.round == 1
                ? try AdmissionPlan.refusal(contribution, .noPanel)
                : try ruling(review, upheld: false, penalties: [], moment)
            return [try Decided(closed, "review", id), end]
        }
        let panel = PanelDraw.panel(root: root, review: id, candidates: candidates, seats: seats)
        return [
            try Decided(
                ReviewDrawn(
                    review: id, datanet: datanet.id, size: size, root: root, candidates: candidates, panel: panel, quorum: quorum,
                    closes: moment.time.adding(seconds: datanet.governance.reviewSeconds)), "review", id)
        ]
    }

    /// Votes, once, before the deadline, by a member of the panel who is still a validator.
    public static func vote(_ state: DatanetState, _ id: String, admit: Bool, reason: Digest, _ moment: Moment) throws -> [Decided] {
        guard let review = state.reviews[id] else { throw DatanetRefusal.unknown("review", id) }
        let datanet = try state.datanet(review.datanet)
        guard let draw = review.draw, draw.panel.contains(moment.actor) else {
            throw DatanetRefusal.notAllowed("\(moment.actor) is not on the panel of \(id)")
        }
        guard datanet.has(moment.actor, .validator) else { throw DatanetRefusal.notAllowed("\(moment.actor) is no validator any more") }
        guard review.votes[moment.actor] == nil else {
            throw DatanetRefusal(.conflict, "voted-already", "\(moment.actor) has voted on \(id)")
        }
        guard review.outcome == nil, review.verdict == nil, moment.logTime < draw.closes else {
            throw DatanetRefusal(.conflict, "voting-is-over", "the panel of \(id) votes no longer")
        }
        return [
            try Decided(ReviewVoted(review: id, datanet: review.datanet, voter: moment.actor, admit: admit, reason: reason), "review", id)
        ]
    }

    /// Ends a review that is over and does what follows from it; nothing before.
    public static func close(_ state: DatanetState, _ id: String, _ prepared: AdmissionRules.Prepared, _ moment: Moment) throws -> [Decided]
    {
        guard let review = state.reviews[id], review.isOver(at: moment.logTime) else { return [] }
        let contribution = try state.contribution(review.contribution)
        let outcome = review.verdict ?? "undecided"
        let plan = AdmissionPlan(state, contribution, items: prepared.items, judgingQuality: false, already: prepared.already)
        guard plan == prepared.plan else { throw DatanetRefusal.stale }
        let closed = ReviewClosed(
            review: id, datanet: review.datanet, outcome: outcome, admit: review.admitting, refuse: review.refusing)
        let end = try Decided(closed, "review", id)
        guard review.round > 1 else {
            switch outcome {
            case "admitted": return [end] + (try plan.events(contribution))
            case "refused": return [end, try AdmissionPlan.refusal(contribution, .panel)]
            default: return [end, try AdmissionPlan.refusal(contribution, .noQuorum)]
            }
        }
        return [end] + (try appealEnds(state, review, contribution, plan, outcome, moment))
    }

    /// An appeal is upheld when its panel's verdict changes what is in the Datanet. Then those of the first panel who voted for what
    /// was overturned lose stake.
    private static func appealEnds(
        _ state: DatanetState, _ review: Review, _ contribution: Contribution, _ plan: AdmissionPlan, _ outcome: String, _ moment: Moment
    ) throws -> [Decided] {
        var events: [Decided] = []
        var isUpheld = false
        switch outcome {
        case "admitted":
            isUpheld = !plan.granted.isEmpty
            // What stays outside was refused before and is not refused again.
            if isUpheld {
                events = try AdmissionPlan(granted: plan.granted).events(contribution)
            }
        case "refused":
            isUpheld = contribution.status == .admitted
            if isUpheld { events = [try AdmissionPlan.refusal(contribution, .appeal)] }
        default: break
        }
        var penalties: [Penalty] = []
        if isUpheld, let first = review.appeals.flatMap({ state.reviews[$0] }), let datanet = state.datanets[review.datanet] {
            penalties = wrong(first, right: outcome == "admitted", points: datanet.governance.penaltyPoints)
        }
        return events + [try ruling(review, upheld: isUpheld, penalties: penalties, moment)]
    }

    /// Who voted for the wrong verdict, in the order of the votes.
    static func wrong(_ review: Review, right: Bool, points: Int) -> [Penalty] {
        guard points > 0 else { return [] }
        return review.reasons.compactMap { review.votes[$0.voter] == right ? nil : Penalty(principal: $0.voter, points: points) }
    }

    static func ruling(_ review: Review, upheld: Bool, penalties: [Penalty], _ moment: Moment) throws -> Decided {
        let id = moment.newID("ru", 0)
        return try Decided(
            RulingMade(
                ruling: id, about: "review", subject: review.id, upheld: upheld, penalties: penalties,
                pool: penalties.isEmpty ? nil : review.datanet), "ruling", id)
    }
}

extension AdmissionPlan {
    init(granted: [AdmittedItem]) { self.granted = granted }
}
