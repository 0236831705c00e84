internal import Events
internal import JSON

/// Admission and what leads to it.
extension DatanetState {
    mutating func applyAdmission(_ granted: AdmissionGranted, _ event: Occurrence) throws(UnfitEvent) {
        try settle(granted.contribution, event) { contribution in
            contribution.status = .admitted
            contribution.admitted.append(granted.items)
        }
        let isReleased = contributions[granted.contribution]?.isReleased == true
        try change(granted.datanet) {
            if !isReleased { $0.items += granted.items.count }
            if !$0.admitted.contains(granted.contribution) { $0.admitted.append(granted.contribution) }
            $0.revision += 1
        }
    }

    mutating func applyAdmission(_ refused: AdmissionRefused, _ event: Occurrence) throws(UnfitEvent) {
        // Single items that stay outside while others come in do not refuse the contribution.
        guard refused.items.isEmpty else {
            return try settle(refused.contribution, event) { contribution in
                if case .pending = contribution.status { contribution.status = .refused(refused.reason) }
            }
        }
        let counted = heldItems(of: refused.contribution)
        try settle(refused.contribution, event) { contribution in
            contribution.status = .refused(refused.reason)
            contribution.admitted = []
        }
        datanets[refused.datanet]?.items -= counted
        // A screened contribution may name a Datanet that there is not.
        datanets[refused.datanet]?.admitted.removeAll { $0 == refused.contribution }
        datanets[refused.datanet]?.revision += 1
    }

    /// How many items of a contribution count among its Datanet's.
    private func heldItems(of id: String) -> Int {
        guard let contribution = contributions[id], !contribution.isReleased else { return 0 }
        return contribution.admitted.reduce(0) { $0 + $1.count }
    }

    /// A contribution that was taken back or erased as a whole makes room for others.
    mutating func release(_ id: String) {
        guard let datanet = contributions[id]?.datanet else { return }
        let held = heldItems(of: id)
        datanets[datanet]?.items -= held
        contributions[id]?.isReleased = true
    }

    private mutating func settle(_ id: String, _ event: Occurrence, _ body: (inout Contribution) -> Void) throws(UnfitEvent) {
        guard var contribution = contributions.removeValue(forKey: id) else { throw UnfitEvent("there is no contribution \(id)") }
        pending[contribution.position] = nil
        body(&contribution)
        contribution.decided = event.time
        contributions[id] = contribution
    }

    mutating func applyReview(_ event: Occurrence, _ data: JSONFields) throws {
        switch event.type {
        case ReviewOpened.type:
            let opened = try ReviewOpened(data)
            guard var contribution = contributions.removeValue(forKey: opened.contribution) else {
                throw UnfitEvent("there is no contribution \(opened.contribution)")
            }
            pending[contribution.position] = nil
            contribution.reviews.append(opened.review)
            if opened.round > 1 { contribution.isAppealed = true } else { contribution.status = .inReview(opened.review) }
            contributions[opened.contribution] = contribution
            reviews[opened.review] = Review(
                id: opened.review, datanet: opened.datanet, contribution: opened.contribution, round: opened.round, appeals: opened.appeals,
                appellant: opened.appellant, event: event.id, opened: event.time, correlation: event.correlation,
                candidates: opened.candidates, sequence: sequence)
            undrawn.insert(opened.review)
        case ReviewDrawn.type:
            let drawn = try ReviewDrawn(data)
            try changeReview(drawn.review) { $0.draw = drawn }
            undrawn.remove(drawn.review)
            sitting.insert(drawn.review)
        case ReviewVoted.type:
            let voted = try ReviewVoted(data)
            try changeReview(voted.review) {
                $0.votes[voted.voter] = voted.admit
                $0.reasons.append((voted.voter, voted.reason))
            }
        case ReviewClosed.type:
            let closed = try ReviewClosed(data)
            try changeReview(closed.review) {
                $0.outcome = closed.outcome
                $0.closed = event.time
            }
            undrawn.remove(closed.review)
            sitting.remove(closed.review)
        case ReviewTrapCommitted.type:
            let trap = try ReviewTrapCommitted(data)
            traps[trap.trap] = Trap(
                id: trap.trap, datanet: trap.datanet, commitment: trap.commitment, tag: trap.tag, setter: event.actor, sequence: sequence)
        default:
            let revealed = try ReviewTrapRevealed(data)
            guard traps[revealed.trap] != nil else { throw UnfitEvent("there is no trap \(revealed.trap)") }
            traps[revealed.trap]?.review = revealed.review
        }
    }

    private mutating func changeReview(_ id: String, _ body: (inout Review) -> Void) throws(UnfitEvent) {
        guard var review = reviews.removeValue(forKey: id) else { throw UnfitEvent("there is no review \(id)") }
        body(&review)
        reviews[id] = review
    }

    mutating func applyProposal(_ event: Occurrence, _ data: JSONFields) throws {
        switch event.type {
        case ProposalOpened.type:
            let opened = try ProposalOpened(data)
            proposals[opened.proposal] = Proposal(opened: opened, time: event.time)
            openProposals.insert(opened.proposal)
        case ProposalVoted.type:
            let voted = try ProposalVoted(data)
            guard let weight = Int128(voted.weight), proposals[voted.proposal] != nil else {
                throw UnfitEvent("a vote on \(voted.proposal) can't be counted")
            }
            proposals[voted.proposal]?.votes[voted.voter] = (voted.inFavour, weight)
        default:
            let closed = try ProposalClosed(data)
            guard proposals[closed.proposal] != nil else { throw UnfitEvent("there is no proposal \(closed.proposal)") }
            proposals[closed.proposal]?.closed = closed
            if closed.enacts == nil { openProposals.remove(closed.proposal) }
        }
    }
}
