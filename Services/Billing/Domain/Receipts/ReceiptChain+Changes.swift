internal import Events
internal import Money

/// What changed a settlement's parts before they were released: refunds, and corrected attributions.
extension ReceiptChain {
    /// A correction, read from its events.
    struct Corrected {
        let part: ReceiptSettlement.Correction
        let ruling: RulingMade
        let posted: SettlementCorrected
        /// The shares from then on; none where it came too late to move anything.
        let shares: [AttributionShare]
        let names: AttributionNames?
    }

    /// Reads the corrections, and checks that each is of this attribution and this settlement.
    func corrections(_ bill: SettlementPosted, _ found: AttributionComputed) throws(ReceiptFault) -> [Corrected] {
        var all: [Corrected] = []
        for entry in part.corrections {
            let ruling = try facts.data(RulingMade.self, entry.ruling)
            let corrected = try facts.data(AttributionCorrected.self, entry.corrected)
            let posted = try facts.data(SettlementCorrected.self, entry.settled)
            let rulingHeader = try facts.header(entry.ruling)
            let header = try facts.header(entry.corrected)
            let moved = try facts.header(entry.settled)
            try need(
                corrected.attribution == found.attribution, .link, "the correction at \(entry.corrected) is of \(corrected.attribution)")
            try need(
                corrected.ruling == ruling.ruling && header.cause == .event(id: rulingHeader.id), .link,
                "the correction at \(entry.corrected) does not follow from the ruling at \(entry.ruling)")
            try need(
                posted.settlement == bill.id && posted.id == header.id.text && posted.position == entry.corrected
                    && moved.cause == .event(id: header.id), .link,
                "what was moved at \(entry.settled) is not what the correction at \(entry.corrected) did to this settlement")
            try checkOrder([part.basis, entry.corrected, entry.settled], "attribution, correction and what it moved")
            try checkOrder([entry.ruling, entry.corrected], "ruling and correction")
            try checkOrder([all.last?.part.settled ?? part.settled, entry.settled], "settlement and corrections")
            all.append(
                Corrected(
                    part: entry, ruling: ruling, posted: posted, shares: posted.late ? [] : try facts.entries(corrected.shares),
                    names: posted.late ? nil : try facts.statement(corrected.evidence)))
        }
        return all
    }

    /// What refunds had left of the fee before a position.
    func left(of bill: SettlementPosted, at position: Int) throws(ReceiptFault) -> Amount {
        var left = bill.fee.units
        for place in part.returns where place < position { left &-= try returned(place).back.units }
        return Amount(left, bill.fee.asset)
    }

    /// Goes through refunds and corrections in the log's order.
    func checkChanges(_ origin: Origin, _ terms: SettlementTerms, _ postings: [Posting]) throws(ReceiptFault) {
        let bill = origin.bill
        var parts = postings.filter { $0.account != .fees }
        let changes: [(place: Int, correction: Corrected?)] =
            part.returns.map { (place: $0, correction: nil) } + origin.corrections.map { (place: $0.part.settled, correction: $0) }
        for change in changes.sorted(by: { $0.place < $1.place }) {
            if let correction = change.correction {
                try check(correction, bill, terms, &parts)
            } else {
                try checkReturn(change.place, bill, &parts)
            }
        }
        let rest = own(parts)
        try need(rest == part.left, .return, "\(rest) units are left, not \(part.left)")
    }

    private func own(_ parts: [Posting]) -> Int128 { parts.first { $0.account == payee.pending }?.amount.units ?? 0 }

    private func check(
        _ correction: Corrected, _ bill: SettlementPosted, _ terms: SettlementTerms, _ parts: inout [Posting]
    ) throws(ReceiptFault) {
        let place = correction.part.settled
        let moved = try facts.entries(correction.posted.postings)
        if correction.posted.late {
            try need(moved.isEmpty, .correction, "the correction at \(place) came late, and moves money")
            try need(part.releases.first.map { $0 < place } ?? false, .correction, "the correction at \(place) came before a release")
        } else {
            let whole = try left(of: bill, at: place)
            let after: [Posting]
            do throws(BillingError) {
                let computed = try Settlement.compute(fee: whole, terms: terms, shares: correction.shares)
                after = computed.filter { $0.value != 0 }.map { Posting(account: $0.key.pending, amount: Amount($0.value, whole.asset)) }
                    .sorted { $0.account < $1.account }
            } catch { throw ReceiptFault(.correction, "\(error)") }
            var difference: [AccountID: Int128] = [:]
            for posting in after { difference[posting.account, default: 0] += posting.amount.units }
            for posting in parts { difference[posting.account, default: 0] -= posting.amount.units }
            let expected = difference.filter { $0.value != 0 }.sorted { $0.key < $1.key }
                .map { Posting(account: $0.key, amount: Amount($0.value, whole.asset)) }
            try need(moved == expected, .correction, "the correction at \(place) does not move what the other shares make")
            try need(
                correction.part.why == (try steps(whole, try tree(correction.shares, terms))), .correction,
                "the steps of the correction at \(place) are not those of the terms")
            parts = after
        }
        try need(
            correction.part.units == own(parts) && (!correction.posted.late || correction.part.why.isEmpty), .correction,
            "the correction at \(place) leaves \(payee) \(own(parts)) units, not \(correction.part.units)")
    }

    private func returned(_ position: Int) throws(ReceiptFault) -> (settlement: String, back: Amount, list: EvidenceList<Posting>) {
        if try facts.header(position).type == RefundPosted.type {
            let refund = try facts.data(RefundPosted.self, position)
            return (refund.settlement, refund.amount, refund.postings)
        }
        let ruling = try facts.data(DisputeResolved.self, position)
        return (ruling.settlement, ruling.refund, ruling.postings)
    }

    private func checkReturn(_ position: Int, _ bill: SettlementPosted, _ left: inout [Posting]) throws(ReceiptFault) {
        let (settlement, back, list) = try returned(position)
        try need(
            settlement == bill.id && position > part.settled && back.asset == bill.fee.asset && back.isPositive, .return,
            "what flowed back at \(position) is not of this settlement")
        let sums = try facts.sums(list)
        let has = left.reduce(into: Int128(0)) { $0 &+= $1.amount.units }
        try need(back.units <= has, .return, "more flowed back at \(position) than there was")
        let parts: [Amount]
        do { parts = try back.split(by: left.map { $0.amount.units.magnitude }) } catch { throw ReceiptFault(.return, "\(error)") }
        for (index, given) in parts.enumerated() {
            let account = left[index].account
            try need(sums[account] ?? 0 == -given.units, .return, "\(account) gave back another part at \(position)")
            left[index].amount = Amount(left[index].amount.units - given.units, given.asset)
        }
    }
}
