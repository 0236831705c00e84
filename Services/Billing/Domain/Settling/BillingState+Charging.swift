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

    func charge(
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
    ///   - time: when it happened: the rules of settlement are taken as they stood then.
    ///   - now: log time.
    ///   - edition: of the rules.
    public func settle(
        _ attribution: AttributionComputed, event: EventID, position: UInt64, time: Timestamp, now: Timestamp? = nil,
        edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        if isSettled(attribution.inference) { return .nothing }
        guard let told = known.inferences[attribution.inference] else {
            throw .notFound("inference \(attribution.inference) yet")
        }
        let inference = told.data
        var decision = Decision.nothing
        var payer = try AccountID(.payer, inference.payer)
        var amount = Amount.zero(inference.fee.asset)
        if let fee = captured[attribution.inference] {
            (payer, amount) = (fee.payer, fee.amount)
        } else if inference.fee.isPositive, !unpaid.contains(attribution.inference) {
            // Both are asked for: one append does both.
            decision = try charge(inference, id: told.event, now: now ?? time)
            (payer, amount) = taken(by: decision, payer, amount.asset)
        }
        let settled = try post(
            Bill(
                kind: "inference", reference: attribution.inference, payer: payer, fee: amount,
                terms: try terms(of: inference, shares: attribution.shares, at: position, rules: rules(at: time, edition: edition)),
                shares: try read(attribution.shares), event: event, position: position, time: time, now: now ?? time, edition: edition))
        decision.append(settled)
        return decision
    }

    /// Who paid how much by what a charge made.
    func taken(by decision: Decision, _ payer: AccountID, _ asset: Asset) -> (payer: AccountID, fee: Amount) {
        switch decision.events.first {
        case .holdCaptured(let data): return (holds[data.id]?.account ?? payer, data.amount)
        case .journalPosted(let data):
            guard case .entries(let postings) = data.postings, let credit = postings.first(where: { $0.account == .fees }) else { break }
            return (payer, credit.amount)
        default: break
        }
        return (payer, .zero(asset))
    }

    /// Takes the fee of a training and shares it out among those whose data it learned from and who ran it.
    public func settle(
        _ job: JobCompleted, event: EventID, position: UInt64, time: Timestamp, now: Timestamp, edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        if isSettled(job.job) { return .nothing }
        var decision = Decision.nothing
        var payer = try AccountID(.payer, job.owner)
        var fee = Amount.zero(job.fee.asset)
        if let first = captured[job.job] {
            (payer, fee) = (first.payer, first.amount)
        } else if job.fee.isPositive {
            decision = try charge(
                job.fee, hold: job.hold, payer: job.owner, reference: job.job, id: event.text, quantities: [], now: now)
            (payer, fee) = taken(by: decision, payer, fee.asset)
        }
        let shares = try read(job.shares)
        let settled = try post(
            Bill(
                kind: "training", reference: job.job, payer: payer, fee: fee,
                terms: terms(of: job, shares: shares, at: position, rules: rules(at: time, edition: edition)), shares: shares, event: event,
                position: position, time: time, now: now, edition: edition))
        decision.append(settled)
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
        let now: Timestamp
        let edition: Int
    }

    /// When a holdback is over: what happened long before it could be settled can be disputed for as long as all else.
    func releaseAt(_ time: Timestamp, now: Timestamp, edition: Int) -> Timestamp {
        (edition > 1 ? max(time, now) : time).adding(seconds: rules(at: time, edition: edition).holdbackSeconds)
    }

    func post(_ bill: Bill) throws(BillingError) -> Decision {
        var decision = Decision.nothing
        let list = try decision.list(try bill.postings())
        decision.events = [
            .settlementPosted(
                SettlementPosted(
                    id: bill.event.text, kind: bill.kind, reference: bill.reference, payer: bill.payer, fee: bill.fee,
                    position: Int(bill.position), releaseAt: releaseAt(bill.time, now: bill.now, edition: bill.edition),
                    edition: bill.edition > 1 ? bill.edition : nil, postings: list))
        ]
        return decision
    }

    private func terms(
        of inference: InferenceCompleted, shares: EvidenceList<AttributionShare>, at position: UInt64, rules: SettlementRulesSet
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

    private func terms(of job: JobCompleted, shares: [AttributionShare], at position: UInt64, rules: SettlementRulesSet) -> SettlementTerms
    {
        SettlementTerms(
            platformPoints: rules.platformPoints, platform: rules.platform, split: rules.training, owner: job.owner, runner: job.runner,
            datanets: known.datanets(Set(shares.map(\.datanet)), at: position))
    }

    func read(_ shares: EvidenceList<AttributionShare>) throws(BillingError) -> [AttributionShare] {
        if case .evidence(let digest, _) = shares, evidence(digest) == nil { throw .needsEvidence(digest) }
        do throws(BillingFault) { return try entries(shares) } catch { throw .notFound("shares: \(error.reason)") }
    }

    /// Computes a settlement on the log again from what other services had said before.
    func recompute(_ data: SettlementPosted) throws(BillingFault) {
        guard let pending = known.reactions[data.id] else {
            throw BillingFault(SettlementPosted.type, data.id, "settles an event that is not there, or a second time")
        }
        func fault(_ reason: String) -> BillingFault { BillingFault(SettlementPosted.type, data.id, reason) }
        guard pending.position == UInt64(data.position) else { throw fault("the event it settles stands at \(pending.position)") }
        let edition = data.edition ?? 1
        let first = releaseAt(pending.time, now: pending.time, edition: edition)
        // From the log time of its decision on, which an audit looks at.
        guard edition > 1 ? data.releaseAt >= first : data.releaseAt == first else { throw fault("its holdback is not that of the rules") }
        let rules = rules(at: pending.time, edition: edition)
        do throws(BillingError) {
            if case .task(let task) = pending.reaction { return try check(data, pays: task, at: pending.position) }
            let bill: Bill
            switch pending.reaction {
            case .settle(let attribution):
                guard let inference = known.inferences[attribution.inference]?.data else {
                    throw .notFound("inference \(attribution.inference)")
                }
                bill = Bill(
                    kind: "inference", reference: attribution.inference, payer: data.payer, fee: data.fee,
                    terms: try terms(of: inference, shares: attribution.shares, at: pending.position, rules: rules),
                    shares: try read(attribution.shares), event: pending.event, position: pending.position, time: pending.time,
                    now: pending.time, edition: edition)
            case .job(let job):
                let shares = try read(job.shares)
                bill = Bill(
                    kind: "training", reference: job.job, payer: data.payer, fee: data.fee,
                    terms: terms(of: job, shares: shares, at: pending.position, rules: rules), shares: shares, event: pending.event,
                    position: pending.position, time: pending.time, now: pending.time, edition: edition)
            case .access(let used):
                bill = try self.bill(
                    for: used, payer: data.payer, fee: data.fee, event: pending.event, position: pending.position, time: pending.time,
                    now: pending.time, edition: edition)
            default: throw .invalid(field: "id", reason: "names an event that nothing is paid for")
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
