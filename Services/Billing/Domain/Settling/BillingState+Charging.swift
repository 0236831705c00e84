public import Events
internal import Money

extension BillingState {
    /// Takes the fee of an answer: from its hold, or, where there is none any more, from what the payer has. A fee that cannot be
    /// had in full is taken as far as it can; what is missing is the gateway's loss, not the contributors' debt.
    /// - Parameter now: log time.
    public func charge(_ inference: InferenceCompleted, id: String, now: Timestamp) throws(BillingError) -> Decision {
        let reference = inference.inference
        if captured[reference] != nil || unpaid.contains(reference) || isSettled(reference) { return .nothing }
        let quantities = [
            MeterQuantity(meter: "requests", quantity: 1), MeterQuantity(meter: "input-tokens", quantity: inference.inputTokens),
            MeterQuantity(meter: "output-tokens", quantity: inference.outputTokens),
        ]
        return try charge(
            inference.fee, hold: inference.hold, payer: inference.payer, reference: inference.inference, id: id, quantities: quantities,
            now: now)
    }

    private func charge(
        _ fee: Amount, hold id: String?, payer: String, reference: String, id transaction: String, quantities: [MeterQuantity],
        now: Timestamp
    ) throws(BillingError) -> Decision {
        let account = try AccountID(.payer, payer)
        // A hold is named by what is to be paid; it may be spent by who placed it, and by nobody else.
        if let id, let hold = holds[id], hold.account == account, now < hold.expires, hold.left.asset == fee.asset {
            var charged = fee
            var usage: UsageCharge?
            if let reference = hold.price, let price = price(reference) {
                let metered = quantities.filter { quantity in price.meters.contains { $0.meter == quantity.meter } }
                usage = try usageCharge(hold, metered, now)
                charged = usage?.fee ?? fee
            }
            let amount = Amount(min(charged.units, hold.left.units), fee.asset)
            return try capture(id, hold, amount, reference: reference, final: true, usage: usage)
        }
        let amount = Amount(max(0, min(fee.units, journal.available(account, fee.asset).units)), fee.asset)
        return Decision(
            .journalPosted(
                JournalPosted(
                    id: transaction, reason: amount == fee ? "fee" : "fee-in-part", reference: reference,
                    postings: .entries(Self.move(amount, from: account, to: .fees)))))
    }

    /// Shares out the fee of an answer by its attribution.
    /// - Parameters:
    ///   - event: the attribution's event, which becomes the settlement's id.
    ///   - position: where that event stands; terms are taken as they stood then.
    ///   - time: when it happened.
    public func settle(
        _ attribution: AttributionComputed, event: EventID, position: UInt64, time: Timestamp
    ) throws(BillingError) -> Decision {
        if isSettled(attribution.inference) { return .nothing }
        guard let inference = known.inferences[attribution.inference]?.data else {
            throw .notFound("inference \(attribution.inference) yet")
        }
        if inference.fee.isPositive, captured[attribution.inference] == nil, !unpaid.contains(attribution.inference) {
            throw .inTheWay("the fee of \(attribution.inference) is not captured yet")
        }
        let fee = captured[attribution.inference]
        let payer: AccountID
        if let fee { payer = fee.payer } else { payer = try AccountID(.payer, inference.payer) }
        let amount = fee?.amount ?? .zero(inference.fee.asset)
        return try post(
            Bill(
                kind: "inference", reference: attribution.inference, payer: payer, fee: amount,
                terms: try terms(of: inference, shares: attribution.shares, at: position), shares: try read(attribution.shares),
                event: event, position: position, time: time))
    }

    /// Takes the fee of a training and shares it out among those whose data it learned from and who ran it.
    public func settle(_ job: JobCompleted, event: EventID, position: UInt64, time: Timestamp, now: Timestamp) throws(BillingError)
        -> Decision
    {
        if isSettled(job.job) { return .nothing }
        var decision = Decision.nothing
        var payer = try AccountID(.payer, job.owner)
        var fee = Amount.zero(job.fee.asset)
        if let first = captured[job.job] {
            (payer, fee) = (first.payer, first.amount)
        } else if job.fee.isPositive {
            decision = try charge(
                job.fee, hold: job.hold, payer: job.owner, reference: job.job, id: event.text, quantities: [], now: now)
            switch decision.events.first {
            case .holdCaptured(let data):
                fee = data.amount
                payer = holds[data.id]?.account ?? payer
            case .journalPosted(let data):
                if case .entries(let postings) = data.postings, let credit = postings.first(where: { $0.account == .fees }) {
                    fee = credit.amount
                }
            default: break
            }
        }
        let shares = try read(job.shares)
        let settled = try post(
            Bill(
                kind: "training", reference: job.job, payer: payer, fee: fee, terms: terms(of: job, shares: shares, at: position),
                shares: shares, event: event, position: position, time: time))
        decision.events += settled.events
        decision.evidence.merge(settled.evidence) { first, _ in first }
        return decision
    }

    /// Sets free what something that came to nothing had reserved.
    /// - Parameter account: whose hold it must be; nil where that has been looked at before.
    public func release(hold id: String, of account: AccountID?) throws(BillingError) -> Decision {
        guard let hold = holds[id], account == nil || hold.account == account else { return .nothing }
        return try releaseHold(id)
    }

    /// All that a settlement is made from.
    struct Bill {
        let kind: String
        let reference: String
        let payer: AccountID
        let fee: Amount
        let terms: SettlementTerms
        let shares: [AttributionShare]
        let event: EventID
        let position: UInt64
        let time: Timestamp
    }

    private func post(_ bill: Bill) throws(BillingError) -> Decision {
        var decision = Decision.nothing
        let list = try decision.list(try bill.postings())
        decision.events = [
            .settlementPosted(
                SettlementPosted(
                    id: bill.event.text, kind: bill.kind, reference: bill.reference, payer: bill.payer, fee: bill.fee,
                    position: Int(bill.position), releaseAt: bill.time.adding(seconds: rules.holdbackSeconds), postings: list))
        ]
        return decision
    }

    private func terms(
        of inference: InferenceCompleted, shares: EvidenceList<AttributionShare>, at position: UInt64
    ) throws(BillingError) -> SettlementTerms {
        try terms(
            SettlementBasis(
                model: inference.model, version: inference.version, runner: inference.runner, platformPoints: rules.platformPoints,
                platform: rules.platform, position: position), read(shares))
    }

    func terms(_ basis: SettlementBasis, _ shares: [AttributionShare]) throws(BillingError) -> SettlementTerms {
        guard let model = known.models[basis.model]?[basis.version] else {
            throw .notFound("published model \(basis.model) of version \(basis.version)")
        }
        return SettlementTerms(
            platformPoints: basis.platformPoints, platform: basis.platform, split: model.split, owner: model.owner, runner: basis.runner,
            datanets: known.datanets(Set(shares.map(\.datanet)), at: basis.position))
    }

    private func terms(of job: JobCompleted, shares: [AttributionShare], at position: UInt64) -> SettlementTerms {
        SettlementTerms(
            platformPoints: rules.platformPoints, platform: rules.platform, split: rules.training, owner: job.owner, runner: job.runner,
            datanets: known.datanets(Set(shares.map(\.datanet)), at: position))
    }

    func read(_ shares: EvidenceList<AttributionShare>) throws(BillingError) -> [AttributionShare] {
        do throws(BillingFault) { return try entries(shares) } catch { throw .notFound("shares: \(error.reason)") }
    }

    /// Computes a settlement on the log again from what other services had said before.
    func recompute(_ data: SettlementPosted) throws(BillingFault) {
        guard let pending = known.reactions[data.id] else {
            throw BillingFault(SettlementPosted.type, data.id, "settles an event that is not there, or a second time")
        }
        func fault(_ reason: String) -> BillingFault { BillingFault(SettlementPosted.type, data.id, reason) }
        guard pending.position == UInt64(data.position) else { throw fault("the event it settles stands at \(pending.position)") }
        guard data.releaseAt == pending.time.adding(seconds: rules.holdbackSeconds) else {
            throw fault("its holdback is not that of the rules")
        }
        do throws(BillingError) {
            if case .task(let task) = pending.reaction { return try check(data, pays: task) }
            let bill: Bill
            switch pending.reaction {
            case .settle(let attribution):
                guard let inference = known.inferences[attribution.inference]?.data else {
                    throw .notFound("inference \(attribution.inference)")
                }
                bill = Bill(
                    kind: "inference", reference: attribution.inference, payer: data.payer, fee: data.fee,
                    terms: try terms(of: inference, shares: attribution.shares, at: pending.position), shares: try read(attribution.shares),
                    event: pending.event, position: pending.position, time: pending.time)
            case .job(let job):
                let shares = try read(job.shares)
                bill = Bill(
                    kind: "training", reference: job.job, payer: data.payer, fee: data.fee,
                    terms: terms(of: job, shares: shares, at: pending.position), shares: shares, event: pending.event,
                    position: pending.position, time: pending.time)
            default: throw .invalid(field: "id", reason: "names an event that is no attribution and no training")
            }
            guard bill.kind == data.kind, bill.reference == data.reference else {
                throw .invalid(field: "reference", reason: "is not what was settled")
            }
            let postings: [Posting]
            do throws(BillingFault) { postings = try entries(data.postings) } catch { throw .notFound("entries: \(error.reason)") }
            let expected = try bill.postings()
            if postings != expected {
                let wrong = Set(postings).symmetricDifference(expected).map { "\($0.account) \($0.amount.unitsText)" }.sorted().prefix(4)
                throw .invalid(
                    field: "postings", reason: "are not what the attribution and the terms make: \(wrong.joined(separator: ", "))")
            }
        } catch { throw fault("\(error)") }
    }
}

extension BillingState.Bill {
    func postings() throws(BillingError) -> [Posting] {
        try Settlement.postings(fee: fee, parts: try Settlement.compute(fee: fee, terms: terms, shares: shares))
    }
}

extension Timestamp {
    /// So many seconds later.
    func adding(seconds: Int) -> Timestamp {
        min(Timestamp(microseconds: microseconds + Int64(seconds) * 1_000_000), .maximum)
    }
}
