public import Events
internal import Money

extension BillingState {
    /// Does what a corrected attribution asks: shares out anew what is left of the fee, at the terms of the settlement, and moves the
    /// difference between what the accounts have pending. Once the holdback is over nothing moves, and the event says so.
    /// - Parameters:
    ///   - event: the correction's event.
    ///   - position: where it stands.
    public func correct(_ data: AttributionCorrected, event: EventID, position: UInt64) throws(BillingError) -> Decision {
        guard let key = known.settlement(of: data.attribution, in: settlementOf) else {
            throw .notFound("settlement of attribution \(data.attribution) yet")
        }
        var postings: [Posting] = []
        let open = settlements[key.uuidText]
        if let open { postings = try correction(of: open, read(data.shares)) }
        var decision = Decision.nothing
        let list = try decision.list(postings)
        decision.events = [
            .settlementCorrected(
                SettlementCorrected(
                    id: event.text, settlement: key.uuidText, position: Int(position), late: open == nil, postings: list))
        ]
        return decision
    }

    /// From what each account has pending of a settlement to what it should have by other shares.
    private func correction(of open: OpenSettlement, _ shares: [AttributionShare]) throws(BillingError) -> [Posting] {
        guard let basis = open.basis else { throw .invalid(field: "attribution", reason: "names a settlement that had none") }
        let left = Amount(open.fee.units - open.refunded, open.fee.asset)
        let parts = try Settlement.compute(fee: left, terms: try terms(basis, shares), shares: shares)
        var entries = Entries(left.asset)
        for (account, units) in parts { try entries.add(account.pending, units) }
        for part in open.parts { try entries.add(journal.accounts[part.place].id, -part.units) }
        return entries.postings
    }

    mutating func apply(_ data: SettlementCorrected) throws(BillingFault) {
        func fault(_ reason: String) -> BillingFault { BillingFault(SettlementCorrected.type, data.id, reason) }
        if recomputes { try recompute(data) }
        guard var open = settlements[data.settlement] else {
            guard data.late, data.postings.count == 0, let key = UInt128(uuid: data.settlement), settled.contains(key) else {
                throw fault("corrects what is not within its holdback")
            }
            return
        }
        guard !data.late else { throw fault("says that it came late, and the holdback is not over") }
        let postings = try post(data.postings, SettlementCorrected.type, data.id)
        for posting in postings {
            guard posting.account.accountKind == .pending, posting.amount.asset == open.fee.asset,
                let place = journal.place(posting.account, posting.amount.asset)
            else { throw fault("an entry of \(posting.account) is nobody's pending share of it") }
            if let index = open.parts.firstIndex(where: { $0.place == place }) {
                open.parts[index].units += posting.amount.units
            } else {
                open.parts.append((place, posting.amount.units))
            }
        }
        guard open.parts.allSatisfy({ $0.units >= 0 }) else { throw fault("takes more from an account than it has pending of it") }
        // In the order of their names, as a settlement makes them: refunds are split in that order.
        let accounts = journal.accounts
        open.parts = open.parts.filter { $0.units > 0 }.sorted { accounts[$0.place].id < accounts[$1.place].id }
        settlements[data.settlement] = open
    }

    /// Computes a correction on the log again.
    private func recompute(_ data: SettlementCorrected) throws(BillingFault) {
        func fault(_ reason: String) -> BillingFault { BillingFault(SettlementCorrected.type, data.id, reason) }
        guard let pending = known.reactions[data.id], case .correct(let correction) = pending.reaction,
            pending.position == UInt64(data.position)
        else { throw fault("answers no corrected attribution, or one for a second time") }
        let expected = try lawful(SettlementCorrected.type, data.id) { () throws(BillingError) in
            try correct(correction, event: pending.event, position: pending.position)
        }
        guard expected.events == [.settlementCorrected(data)] else { throw fault("is not what the corrected shares and the terms make") }
    }
}
