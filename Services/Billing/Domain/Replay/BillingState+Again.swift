internal import Decisions
public import Events
internal import Money

/// The rule for each event, with what the event itself says was asked for.
extension BillingState {
    /// What billing does about another service's event.
    public func answer(to pending: PendingReaction, now: Timestamp) throws(BillingError) -> Decision {
        switch pending.reaction {
        case .charge(let inference): try charge(inference, id: pending.event.text, now: now)
        case .settle(let attribution): try settle(attribution, event: pending.event, position: pending.position, time: pending.time)
        case .job(let job): try settle(job, event: pending.event, position: pending.position, time: pending.time, now: now)
        case .correct(let corrected): try correct(corrected, event: pending.event, position: pending.position)
        case .task(let task): try settle(task, event: pending.event, position: pending.position, time: pending.time, now: now)
        case .release(let hold, let account): try release(hold: hold, of: account)
        case .ruling(let ruling): try act(on: ruling)
        case .refuted(let checked): try penalise(checked)
        }
    }

    /// What a command makes that asks for what this event did.
    func again(_ event: BillingEvent, _ moment: DecisionContext) throws -> Decision {
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
            try placeHold(
                id: data.id, on: data.account, data.amount, expires: data.expires, model: data.price?.model, reference: data.reference,
                now: now)
        case .holdCaptured(let data):
            if let usage = data.usage {
                try captureUsage(data.id, usage.quantities, reference: data.reference, now: now)
            } else {
                try captureHold(data.id, data.amount, reference: data.reference, final: !data.released.isZero, now: now)
            }
        case .holdReleased(let data): try releaseHold(data.id)
        case .refundPosted(let data): try refund(data.settlement, data.amount, reason: data.reason, now: now)
        case .disputeOpened(let data):
            try openDispute(
                id: moment.newID("ds"), settlement: data.settlement, by: data.account, reason: data.reason, evidence: data.evidence,
                now: now)
        case .disputeResolved(let data): try resolveDispute(data.id, upheld: data.upheld, refund: data.refund, ruling: data.ruling)
        case .stakeBonded(let data): try bond(data.amount, from: data.account, in: data.pool)
        case .stakeUnbonded(let data): try unbond(id: moment.newID("ub"), data.amount, of: data.account, in: data.pool, now: now)
        case .stakeSlashed(let data): try slash(data.amount, of: data.account, in: data.pool, ruling: data.ruling)
        case .stakeRewarded(let data): try reward(data.amount, from: data.source, pool: data.pool)
        case .payoutRequested(let data):
            try requestPayout(
                id: moment.newID("po"), from: data.account, data.amount, rail: data.rail, destination: data.destination)
        case .payoutFinished(let data): try finishPayout(data.id, paid: data.paid, reference: data.reference)
        case .payoutEpochClosed(let data): try closeEpoch(data.asset)
        case .payoutClaimed(let data):
            try claim(data.asset, address: data.address, cumulative: data.cumulative, transaction: data.transaction)
        case .settlementPosted, .settlementCorrected, .settlementReleased, .stakeWithdrawn, .budgetAlerted:
            throw BillingFault(type(of: event.data).type, "", "is no command's: it answers an event, or falls due")
        }
    }
}
