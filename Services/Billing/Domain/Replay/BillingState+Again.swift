internal import Decisions
public import Events
internal import Money

/// The rule for each event, with what the event itself says was asked for.
extension BillingState {
    /// What billing does about another service's event. What asks for nothing is closed: it is decided on the state as it is when its turn
    /// comes, and never again.
    public func answer(
        to pending: PendingReaction, now: Timestamp, edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        let closing = pending.reaction.closedAs.map { Decision(.reactionClosed(ReactionClosed(reaction: $0))) }
        // A program that said nothing of such has looked at it before.
        if edition > 1, let closing, known.wasPassed(pending.position) { return closing }
        let decision = try react(to: pending, now: now, edition: edition)
        return edition > 1 && decision.events.isEmpty ? closing ?? decision : decision
    }

    private func react(to pending: PendingReaction, now: Timestamp, edition: Int) throws(BillingError) -> Decision {
        switch pending.reaction {
        case .charge(let inference): try charge(inference, id: pending.event.text, now: now)
        case .settle(let attribution):
            try settle(attribution, event: pending.event, position: pending.position, time: pending.time, now: now, edition: edition)
        case .job(let job):
            try settle(job, event: pending.event, position: pending.position, time: pending.time, now: now, edition: edition)
        case .access(let used):
            try settle(used, event: pending.event, position: pending.position, time: pending.time, now: now, edition: edition)
        case .correct(let corrected): try correct(corrected, event: pending.event, position: pending.position)
        case .task(let task):
            stamped(
                try settle(task, event: pending.event, position: pending.position, time: pending.time, now: now, edition: edition),
                pending.time, now: now, edition: edition)
        case .release(let hold, let account): try release(hold: hold, of: account)
        case .ruling(let ruling): try act(on: ruling)
        case .refuted(let checked): try penalise(checked)
        }
    }

    /// The same of an edition.
    private func stamped(_ decision: Decision, _ time: Timestamp, now: Timestamp, edition: Int) -> Decision {
        guard edition > 1 else { return decision }
        var decision = decision
        decision.events = decision.events.map { event in
            guard case .settlementPosted(var data) = event else { return event }
            data.releaseAt = releaseAt(time, now: now, edition: edition)
            data.edition = edition
            return .settlementPosted(data)
        }
        return decision
    }

    /// What a command makes that asks for what this event did.
    /// - Parameter place: where the event stands among those of its command, from 0.
    func again(_ event: BillingEvent, at place: Int = 0, _ moment: DecisionContext) throws -> Decision {
        let now = moment.logTime
        return switch event {
        case .accountOpened(let data): try openAccount(data.account, data.asset, overdraft: data.overdraft, ceiling: data.ceiling)
        case .accountVerified(let data): try verifyOwner(data.owner, claim: data.claim)
        case .depositReceived(let data):
            try deposit(id: moment.newID("dp"), to: data.account, data.amount, rail: data.rail, reference: data.reference)
        case .journalPosted(let data):
            if let transaction = data.reverses {
                try reverse(id: moment.newID("tr"), transaction: transaction, reason: data.reason)
            } else {
                try transfer(id: moment.newID("tr"), try entries(data.postings), reason: data.reason)
            }
        case .walletSet(let data):
            try setWallet(
                WalletRequest(
                    owner: data.owner, address: data.address, sequence: data.sequence, key: data.key, recovery: data.recovery,
                    signature: data.signature), lately: true)
        case .budgetSet(let data): try setBudget(of: data.account, data.budget, thresholds: data.thresholds)
        case .pricePublished(let data): try publishPrice(model: data.model, asset: data.asset, meters: data.meters)
        case .settlementRulesSet(let data): try setRules(data)
        case .holdPlaced(let data):
            // A command's holds are numbered in their order.
            try placeHold(
                id: moment.newID("hd", place), on: data.account, data.amount, expires: data.expires, model: data.price?.model,
                reference: data.reference,
                now: now)
        case .holdCaptured(let data):
            if let usage = data.usage {
                try captureUsage(data.id, usage.quantities, reference: data.reference, now: now, edition: edition)
            } else {
                try captureHold(data.id, data.amount, reference: data.reference, final: !data.released.isZero, now: now, edition: edition)
            }
        case .holdReleased(let data): try releaseHold(data.id)
        case .refundPosted(let data): try refund(data.settlement, data.amount, reason: data.reason, now: now)
        case .disputeOpened(let data):
            try openDispute(
                id: moment.newID("ds"), settlement: data.settlement, by: data.account, reason: data.reason, evidence: data.evidence,
                now: now)
        case .stakeBonded(let data): try bond(data.amount, from: data.account, in: data.pool)
        case .stakeUnbonded(let data): try unbond(id: moment.newID("ub"), data.amount, of: data.account, in: data.pool, now: now)
        case .stakeRewarded(let data): try reward(data.amount, from: data.source, pool: data.pool)
        case .payoutRequested(let data):
            try requestPayout(
                id: moment.newID("po"), from: data.account, data.amount, rail: data.rail, destination: data.destination)
        case .payoutSent(let data): try sendPayouts(on: data.rail)
        case .payoutFinished(let data): try finishPayout(data.id, paid: data.paid, reference: data.reference)
        case .payoutEpochClosed(let data): try closeEpoch(data.asset, edition: data.edition ?? 1)
        case .payoutClaimed(let data):
            try claim(data.asset, address: data.address, cumulative: data.cumulative, transaction: data.transaction)
        case .settlementPosted, .settlementCorrected, .settlementReleased, .stakeWithdrawn, .budgetAlerted, .holdReturned, .reactionClosed,
            .disputeLapsed, .disputeResolved, .stakeSlashed:
            throw BillingFault(type(of: event.data).type, "", "is no command's: it answers an event, or falls due")
        }
    }
}
