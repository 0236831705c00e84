public import Events
internal import Money

/// Snapshots that were read at a price: all but the platform's part is their Datanets', which divide it by their policies.
extension BillingState {
    /// Takes the price of a reading from its hold and shares it out among those whose work was read.
    public func settle(
        _ used: AccessUsed, event: EventID, position: UInt64, time: Timestamp, now: Timestamp, edition: Int = BillingState.presentEdition
    ) throws(BillingError) -> Decision {
        guard !isSettled(used.access), let price = used.price else { return .nothing }
        var decision = Decision.nothing
        var (payer, fee) = (try AccountID(.payer, used.reader), Amount.zero(price.asset))
        if let first = captured[used.access] {
            (payer, fee) = (first.payer, first.amount)
        } else {
            decision = try charge(
                price, hold: used.hold, payer: used.reader, reference: used.access, id: event.text, quantities: [], now: now)
            (payer, fee) = taken(by: decision, payer, fee.asset)
        }
        decision.append(
            try post(
                try bill(for: used, payer: payer, fee: fee, event: event, position: position, time: time, now: now, edition: edition)))
        return decision
    }

    /// What a reading's settlement is made from.
    func bill(
        for used: AccessUsed, payer: AccountID, fee: Amount, event: EventID, position: UInt64, time: Timestamp, now: Timestamp, edition: Int
    ) throws(BillingError) -> Bill {
        guard let list = used.shares else { throw .notFound("shares of \(used.access)") }
        let (shares, rules) = (try read(list), rules(at: time, edition: edition))
        return Bill(
            kind: "access", reference: used.access, payer: payer, fee: fee,
            terms: SettlementTerms(
                platformPoints: rules.platformPoints, platform: rules.platform, split: .access, owner: used.reader, runner: used.reader,
                datanets: known.datanets(Set(shares.map(\.datanet)), at: position)),
            shares: shares, event: event, position: position, time: time, now: now, edition: edition)
    }
}

extension ModelSplit {
    /// Of the price of a reading: neither a model nor a runner had a part in it.
    static let access = ModelSplit(owner: 0, datanets: 10_000, contributors: 0, validators: 0, compute: 0)
}
