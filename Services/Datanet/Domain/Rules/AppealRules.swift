public import Crypto
internal import Events

/// Appeals and traps: what keeps panels honest.
public enum AppealRules {
    /// Reasons that no panel can help against.
    private static let final: Set<String> = [
        AdmissionPlan.Refusal.unknownDatanet.rawValue, AdmissionPlan.Refusal.notAMember.rawValue, AdmissionPlan.Refusal.withdrawn.rawValue,
        AdmissionPlan.Refusal.nothingAccepted.rawValue, AdmissionPlan.Refusal.tooManyItems.rawValue, AdmissionPlan.Refusal.trap.rawValue,
    ]

    /// Takes a decision on a contribution to a fresh panel, once. Its contributor may, and the Datanet's owners and curators.
    public static func appeal(_ state: DatanetState, _ id: String, reason: Digest, _ moment: Moment) throws -> [Decided] {
        let contribution = try state.contribution(id)
        guard let datanet = state.datanets[contribution.datanet] else { throw DatanetRefusal.unknown("datanet", contribution.datanet) }
        guard moment.actor == contribution.contributor || datanet.has(moment.actor, [.owner, .curator]) else {
            throw DatanetRefusal.notAllowed("the contributor, owners and curators appeal")
        }
        switch contribution.status {
        case .pending, .inReview: throw DatanetRefusal(.conflict, "not-decided", "\(id.prefix(80)) is not decided yet")
        case .refused(let reason) where final.contains(reason):
            throw DatanetRefusal(.unprocessable, "no-appeal", "a refusal for \(reason) is not for a panel to decide")
        case .admitted, .refused: break
        }
        guard !contribution.isAppealed else {
            throw DatanetRefusal(.conflict, "appealed-already", "a decision is appealed once: \(contribution.reviews.last ?? "")")
        }
        guard let decided = contribution.decided, moment.logTime <= decided.adding(seconds: datanet.governance.appealSeconds) else {
            throw DatanetRefusal(.conflict, "appeal-too-late", "appeals come within \(datanet.governance.appealSeconds) seconds")
        }
        return [try ReviewRules.open(state, contribution, round: 2, reason: reason, moment)]
    }

    /// Binds an owner or curator to a verdict on a contribution that is not before a panel yet. There is one trap on a contribution: who
    /// could commit to both verdicts would reveal whichever hurts.
    /// - Parameter tag: what all traps on the contribution share, and tells nobody which it is.
    public static func setTrap(_ state: DatanetState, _ id: String, commitment: Digest, tag: Digest?, _ moment: Moment) throws -> [Decided]
    {
        let datanet = try state.datanet(id)
        guard datanet.has(moment.actor, [.owner, .curator]) else { throw DatanetRefusal.notAllowed("owners and curators set traps") }
        if let tag, state.traps.values.contains(where: { $0.datanet == id && $0.tag == tag }) {
            throw DatanetRefusal(.conflict, "trap-there-already", "there is a trap on that contribution: one is all that it can have")
        }
        let trap = moment.newID("tr", 0)
        return [
            try Decided(ReviewTrapCommitted(trap: trap, datanet: id, commitment: commitment, tag: tag), "review", trap)
        ]
    }

    /// Opens a trap after its review: who voted against the verdict loses stake, and what should not have come in goes out.
    public static func reveal(
        _ state: DatanetState, _ id: String, contribution name: String, admit: Bool, salt: String, tag: Digest?, _ moment: Moment
    ) throws -> [Decided] {
        guard let trap = state.traps[id] else { throw DatanetRefusal.unknown("trap", id) }
        let datanet = try state.datanet(trap.datanet)
        guard moment.actor == trap.setter else { throw DatanetRefusal.notAllowed("who set a trap reveals it") }
        guard trap.review == nil else { throw DatanetRefusal(.conflict, "revealed-already", "\(id) has been revealed") }
        guard (16...200).contains(salt.utf8.count), !salt.utf8.contains(0x0A), !name.utf8.contains(0x0A),
            TrapCommitment.make(contribution: name, admit: admit, salt: salt) == trap.commitment, trap.tag == nil || trap.tag == tag
        else {
            throw DatanetRefusal(.unprocessable, "wrong-opening", "contribution, verdict and salt (16 to 200 bytes) do not open \(id)")
        }
        let contribution = try state.contribution(name)
        // A trap set when votes could be seen already would be no trap.
        guard contribution.datanet == trap.datanet,
            let review = contribution.reviews.compactMap({ state.reviews[$0] }).first(where: {
                $0.sequence > trap.sequence && $0.round == 1
            })
        else { throw DatanetRefusal(.unprocessable, "no-such-review", "no review of \(name.prefix(80)) was opened after the trap was set") }
        // Early traps have no tag that would show two of one contribution.
        guard !state.traps.values.contains(where: { $0.review == review.id }) else {
            throw DatanetRefusal(.conflict, "measured-already", "another trap on \(name.prefix(80)) has been revealed")
        }
        guard review.outcome != nil else { throw DatanetRefusal(.conflict, "review-not-over", "\(review.id) is not over yet") }
        let penalties = ReviewRules.wrong(review, right: admit, points: datanet.governance.penaltyPoints)
        var events = [
            try Decided(
                ReviewTrapRevealed(trap: id, datanet: datanet.id, contribution: name, review: review.id, admit: admit, salt: salt),
                "review", id),
            try ReviewRules.ruling(review, upheld: !penalties.isEmpty, penalties: penalties, moment),
        ]
        if !admit, contribution.status == .admitted { events.append(try AdmissionPlan.refusal(contribution, .trap)) }
        return events
    }
}
