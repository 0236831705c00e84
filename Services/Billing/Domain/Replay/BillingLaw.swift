public import Decisions
public import Events
internal import JSON
internal import Money
public import Replay

/// Decides everything that billing did again, and computes every settlement from its attribution, the published terms and the rules.
///
/// The state itself computes balances, refunds, epochs' roots and liabilities again while it folds.
public struct BillingLaw: ReplayLaw {
    /// Billing's.
    public static let service = Service.billing
    /// What others' events have told is looked up by position.
    public static let looksAtOthers = false

    private let evidence: EvidenceShelf
    /// Events that may ask for something and have not been answered.
    private var asked: [EventID: (position: UInt64, type: String)] = [:]
    /// By type: where the last event stands that was answered.
    private var answered: [String: UInt64] = [:]

    /// Reads evidence there.
    public init(_ evidence: EvidenceShelf) { self.evidence = evidence }

    /// The state before the first event.
    public func makeState() -> BillingState {
        let evidence = evidence
        return BillingState(recomputes: true) { digest in try? evidence.bytes(digest) }
    }

    /// Notes what asks, and what is answered.
    public mutating func hear(_ fact: ReplayFact) {
        if Self.asking.contains(fact.fact.type) || (fact.fact.type == AccessUsed.type && fact.fact.data["price"] != nil) {
            asked[fact.fact.id] = (fact.position, fact.fact.type)
        } else if case .event(let cause) = fact.fact.cause, let ask = asked.removeValue(forKey: cause) {
            answered[ask.type] = max(answered[ask.type] ?? 0, ask.position)
        }
    }

    /// What is settled or charged whenever it comes; other events may ask for nothing.
    private static let asking: Set<String> = [
        InferenceCompleted.type, AttributionComputed.type, AttributionCorrected.type, JobCompleted.type, JobFailed.type, JobCancelled.type,
        JobChecked.type, TaskCompleted.type, TaskRejected.type, TaskExpired.type, RulingMade.type,
    ]

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: BillingState, _ moment: DecisionContext) throws -> Verdict {
        let first = append.first
        guard BillingEvent.types.contains(first.type) else { return .unknown }
        let decision: Decision
        var gaps: [ReplayGap] = []
        if let cause = append.reactsTo {
            guard let pending = state.known.reactions[cause.text] else {
                throw Unlawful("reacts to an event that is not there, asks for nothing, or was answered before")
            }
            guard first.time == pending.time else { throw Unlawful("is of \(first.time), and what it reacts to of \(pending.time)") }
            try Self.checkHold(of: pending.reaction, state)
            decision = try Self.answer(to: pending, append, state, moment)
        } else if first.cause.id.hasPrefix("sweep:") {
            return try sweep(append, state, moment)
        } else if let journal = try append.find(JournalPosted.self), first.type == HoldReleased.type {
            let hold = try append.data(HoldReleased.self).id
            decision = try state.pay(id: moment.newID("tr"), state.entries(journal.postings), reason: journal.reason, hold: hold)
        } else {
            var all = Decision.nothing
            for (place, fact) in append.facts.enumerated() {
                guard let event = try BillingEvent(type: fact.type, try fact.data.object()) else { return .unknown }
                all.append(try state.again(event, at: place, moment))
            }
            decision = all
            // A wallet's owner signs for it; whatever else is asked for is allowed by a token.
            if append.facts.contains(where: { $0.type != WalletSet.type }) { gaps.append(Self.authority) }
        }
        return Verdict(decision.newEvents, checked: Self.checked(append), gaps: gaps)
    }

    /// Throws where something is to be paid from a hold that is another's than its payer's.
    private static func checkHold(of reaction: Reaction, _ state: BillingState) throws {
        let (named, payer): (String?, String)
        switch reaction {
        case .charge(let inference): (named, payer) = (inference.hold, inference.payer)
        case .settle(let attribution):
            guard let inference = state.known.inferences[attribution.inference]?.1 else { return }
            (named, payer) = (inference.hold, inference.payer)
        case .task(let task): (named, payer) = (task.hold, task.payer)
        case .access(let used): (named, payer) = (used.hold, used.reader)
        // Who orders a training names the hold; what is another's pays nothing.
        case .job, .correct, .release, .ruling, .refuted: return
        }
        guard let named, let hold = state.holds[named], hold.account.text != "payer:" + payer else { return }
        throw Unlawful("is to be paid by \(payer) from the hold \(named), which is \(hold.account)'s")
    }

    private static let authority = ReplayGap(
        "who may ask billing for deposits, holds, transfers, refunds, payouts, prices and rules",
        why: "tokens and scopes are not on the log")

    /// What the rules make of another service's event, by the edition of what was made of it.
    private static func answer(
        to pending: PendingReaction, _ append: ReplayedAppend, _ state: BillingState, _ moment: DecisionContext
    ) throws -> Decision {
        guard let posted = try append.find(SettlementPosted.self) else {
            let isClosed = append.first.type == ReactionClosed.type
            // What an older program passed over and then took up is judged by what it did.
            let edition = isClosed ? BillingState.presentEdition : 1
            return try state.answer(to: pending, now: moment.logTime, edition: edition)
        }
        let edition = posted.edition ?? 1
        var decision = try state.answer(to: pending, now: moment.logTime, edition: edition)
        guard edition > 1 else { return decision }
        // The log time that the decider knew is a moment behind that of the event's place.
        let latest = state.releaseAt(pending.time, now: moment.logTime, edition: edition)
        guard posted.releaseAt <= latest, posted.releaseAt.microseconds + Self.lag >= latest.microseconds else {
            throw Unlawful("its holdback ends at \(posted.releaseAt), and by the log time of its place at \(latest)")
        }
        decision.events = decision.events.map { event in
            guard case .settlementPosted(var data) = event else { return event }
            data.releaseAt = posted.releaseAt
            return .settlementPosted(data)
        }
        return decision
    }

    /// A decider may be so far behind the log: ten minutes.
    private static let lag: Int64 = 600_000_000

    private static func checked(_ append: ReplayedAppend) -> [String: Int] {
        var checked: [String: Int] = [:]
        for fact in append.facts {
            switch fact.type {
            case SettlementPosted.type: checked["settlements", default: 0] += 1
            case PayoutEpochClosed.type: checked["epochs' roots and liabilities", default: 0] += 1
            case HoldCaptured.type: checked["captures", default: 0] += 1
            default: break
            }
        }
        return checked
    }

    // MARK: What fell due

    /// A sweep does a part of what is due, as much as fits: each of its events is checked for being due, and nothing that has long been due may
    /// be passed over.
    private func sweep(_ append: ReplayedAppend, _ state: BillingState, _ moment: DecisionContext) throws -> Verdict {
        try expectNothingPassedOver(append, state, moment)
        var expected: [NewEvent] = []
        for fact in append.facts {
            guard let event = try BillingEvent(type: fact.type, try fact.data.object()) else { return .unknown }
            let decision: Decision
            switch event {
            case .holdReleased(let data):
                guard let hold = state.holds[data.id], hold.expires <= moment.logTime else {
                    throw Unlawful("the hold \(data.id) is not there, or has not expired by \(moment.logTime)")
                }
                decision = Decision(.holdReleased(HoldReleased(id: data.id, amount: hold.left, expired: true)))
            case .stakeWithdrawn(let data):
                guard let unbonding = state.unbondings[data.id], unbonding.releaseAt <= moment.logTime else {
                    throw Unlawful("the stake \(data.id) is not being unbonded, or not due by \(moment.logTime)")
                }
                decision = Decision(event)
            case .settlementReleased(let data):
                for id in data.settlements {
                    guard let settlement = state.settlements[id], settlement.dispute == nil, settlement.releaseAt <= moment.logTime else {
                        throw Unlawful("the settlement \(id) is not within its holdback, is disputed, or is not due by \(moment.logTime)")
                    }
                }
                for posting in try evidence.entries(data.postings) where posting.amount.isPositive {
                    guard posting.account.accountKind?.needsVerifiedOwner != true || state.verified[String(posting.account.owner)] != nil
                    else { throw Unlawful("pays \(posting.account), whose owner is not verified") }
                }
                let known = Timestamp(microseconds: moment.logTime.microseconds - Self.lag)
                if let account = state.leftOut(by: data, paid: try paid(by: data, state), verifiedBefore: known) {
                    throw Unlawful("leaves out \(account), whose owner is verified")
                }
                decision = Decision(event)
            case .holdReturned(let data):
                guard let fee = state.captured[data.reference], fee.due <= moment.logTime else {
                    throw Unlawful("no fee was captured for \(data.reference), or its deadline is not over by \(moment.logTime)")
                }
                decision = Decision(.holdReturned(fee.returned(data.reference)))
            case .disputeLapsed(let data):
                guard let dispute = state.dispute(data.id), dispute.due <= moment.logTime else {
                    throw Unlawful("the dispute \(data.id) is not open, or its deadline is not over by \(moment.logTime)")
                }
                decision = Decision(.disputeLapsed(dispute.lapsed(data.id)))
            case .payoutFinished(let data):
                guard state.payout(data.id)?.rail == "sandbox" else { throw Unlawful("the payout \(data.id) is not the sandbox's") }
                decision = try state.finishPayout(data.id, paid: true, reference: "sandbox-" + data.id)
            case .budgetAlerted(let data):
                let place = state.journal.place(data.account, data.budget.asset)
                guard let alert = place.flatMap({ state.alert($0) }), alert == data else {
                    throw Unlawful("the fees of \(data.account) crossed no threshold of its budget, or another one")
                }
                decision = Decision(event)
            default: throw Unlawful("is nothing that falls due")
            }
            expected += decision.newEvents
        }
        return Verdict(expected, checked: ["events that fell due": expected.count])
    }

    /// Throws where a sweep did less than was due a day before it. Not by the log time of its place: the decider may have known an older one.
    private func expectNothingPassedOver(_ append: ReplayedAppend, _ state: BillingState, _ moment: DecisionContext) throws {
        let long = moment.logTime.adding(seconds: -Self.overdue)
        let longDue = try state.sweep(now: long).newEvents.filter { $0.type != BudgetAlerted.type }
        let due = Dictionary(grouping: longDue, by: \.type).mapValues(\.count)
        let done = Dictionary(grouping: append.facts, by: \.type).mapValues(\.count)
        for (type, count) in due.sorted(by: { $0.key < $1.key }) where done[type, default: 0] < count {
            throw Unlawful("passes over \(count - done[type, default: 0]) of \(count) \(type) that fell due long before \(moment.logTime)")
        }
        guard let released = try append.find(SettlementReleased.self) else { return }
        let paid = try paid(by: released, state)
        if let place = state.readyPlaces(at: long).first(where: { !paid.contains($0) }) {
            throw Unlawful(
                "passes over \(state.journal.accounts[place].id.awaited), whose owner was verified long before \(moment.logTime)")
        }
    }

    /// The pending accounts from which a release pays, by their places in the journal.
    private func paid(by released: SettlementReleased, _ state: BillingState) throws -> Set<Int> {
        Set(
            try evidence.entries(released.postings).filter(\.amount.isNegative).compactMap {
                state.journal.place($0.account, $0.amount.asset)
            })
    }

    // MARK: The end

    /// Entries of all accounts add up to zero; what others asked for long ago has been done.
    public func finish(_ state: BillingState, logTime: Timestamp) -> Ending {
        var ending = Ending()
        let totals = (try? state.journal.totals()) ?? [:]
        for (asset, total) in totals where !total.isZero {
            ending.missing.append((0, "account.transferred", "the accounts in \(asset) add up to \(total), not to zero"))
        }
        ending.checked["accounts"] = state.journal.accounts.count
        ending.checked["assets that add up to zero"] = totals.count
        for (what, due) in state.overdue(at: logTime, patience: Self.overdue) {
            ending.missing.append((0, what, "fell due at \(due), long before the log time \(logTime), and was not done"))
        }
        for pending in state.pendingReactions() {
            let decision: Decision
            do { decision = try state.answer(to: pending, now: max(logTime, pending.time)) } catch {
                ending.gaps.append(ReplayGap("events that billing cannot act on", why: "\(error)"))
                continue
            }
            guard !decision.events.isEmpty else { continue }
            if let ask = asked[pending.event], pending.position < answered[ask.type] ?? 0,
                pending.time.microseconds + Self.patience < logTime.microseconds
            {
                ending.missing.append((pending.position, ask.type, "was passed over: later ones were settled, and this one was not"))
            } else {
                ending.gaps.append(ReplayGap("events that billing has yet to act on", why: "they are the newest"))
            }
        }
        return ending
    }

    /// What falls due is done within a second where billing runs; it is missing after a day.
    private static let overdue = 86_400

    /// Reactions are worked on side by side, so that one may come before an earlier one; but not a minute before.
    private static let patience: Int64 = 60_000_000
}
