public import Crypto
public import Events
public import Money

extension BillingState {
    /// A settlement within its holdback.
    public func settlement(_ id: String) -> OpenSettlement? { settlements[id] }

    /// What each account has pending of a settlement within its holdback.
    public func parts(of id: String) -> [(account: AccountID, amount: Amount)] {
        (settlements[id]?.parts ?? []).map { part in
            let account = journal.accounts[part.place]
            return (account.id.awaited, Amount(part.units, account.asset))
        }
    }

    mutating func apply(_ data: SettlementPosted, at time: Timestamp) throws(BillingFault) {
        func fault(_ reason: String) -> BillingFault { BillingFault(SettlementPosted.type, data.id, reason) }
        guard let key = UInt128(uuid: data.id), settlements[data.id] == nil, !settled.contains(key) else {
            throw fault("was posted before, or its id is no event's")
        }
        guard !isSettled(data.reference) else { throw fault("settles \(data.reference) for a second time") }
        let edition = data.edition ?? 1
        guard isPresent(edition) else {
            throw fault("is of edition \(edition), which is older than that of an earlier event, or not known")
        }
        if recomputes { try recompute(data) }
        let fee = captured[data.reference]
        guard fee?.amount.units ?? 0 == data.fee.units, fee.map({ $0.payer == data.payer && $0.amount.asset == data.fee.asset }) ?? true
        else {
            throw fault("its fee is not what was captured for \(data.reference)")
        }
        let postings = try post(data.postings, SettlementPosted.type, data.id)
        var parts: [(place: Int, units: Int128)] = []
        for posting in postings {
            if posting.account == .fees {
                guard posting.amount.units == -data.fee.units, posting.amount.asset == data.fee.asset else {
                    throw fault("does not share out its fee")
                }
            } else {
                guard posting.account.accountKind == .pending, posting.amount.isPositive,
                    let place = journal.place(posting.account, data.fee.asset)
                else { throw fault("an entry of \(posting.account) pays nobody's pending account") }
                parts.append((place, posting.amount.units))
            }
        }
        self.edition = edition
        if edition == 1 { known.passed(UInt64(data.position)) }
        forgetCaptured(data.reference)
        unpaid.remove(data.reference)
        let inference = known.inferences.removeValue(forKey: data.reference)?.data
        settledOnce(data.reference, as: key)
        if parts.isEmpty {
            settled.insert(key)
        } else {
            let rules = rules(at: time, edition: edition)
            let basis = inference.map {
                SettlementBasis(
                    model: $0.model, version: $0.version, runner: $0.runner, platformPoints: rules.platformPoints, platform: rules.platform,
                    position: UInt64(data.position))
            }
            settlements[data.id] = OpenSettlement(
                payer: data.payer, fee: data.fee, releaseAt: data.releaseAt, basis: basis, parts: parts)
            settlementsDue.insert(Due(time: data.releaseAt, id: data.id))
        }
    }

    // MARK: Refunds

    /// Gives part or all of a settled fee back to its payer, taken from each recipient in proportion to what they still have
    /// pending of it.
    public func refund(_ id: String, _ amount: Amount, reason: String, now: Timestamp) throws(BillingError) -> Decision {
        let settlement = try contestable(id, now)
        if let dispute = settlement.dispute {
            throw .inTheWay("the settlement \(id) is kept by the dispute \(dispute): wait for its ruling")
        }
        var decision = Decision.nothing
        let list = try decision.list(try refundPostings(id, settlement, amount))
        decision.events = [.refundPosted(RefundPosted(settlement: id, amount: amount, reason: reason, postings: list))]
        return decision
    }

    private func refundPostings(_ id: String, _ settlement: OpenSettlement, _ amount: Amount) throws(BillingError) -> [Posting] {
        guard amount.asset == settlement.fee.asset else { throw .wrongAsset(expected: settlement.fee.asset, actual: amount.asset) }
        guard amount.isPositive else { throw .notPositive("a refund") }
        let left = settlement.fee.units - settlement.refunded
        guard amount.units <= left else {
            throw .beyond(what: "the fee of \(id) after earlier refunds", wanted: amount, left: Amount(left, amount.asset))
        }
        let parts = try exactly { () throws(MoneyError) in try amount.split(by: settlement.parts.map { UInt128($0.units) }) }
        var entries = Entries(amount.asset)
        for (part, back) in zip(settlement.parts, parts) {
            try entries.move(back.units, from: journal.accounts[part.place].id, to: settlement.payer)
        }
        return entries.postings
    }

    mutating func apply(_ data: RefundPosted) throws(BillingFault) {
        try applyRefund(data.settlement, data.amount, try entries(data.postings), RefundPosted.type)
        _ = try post(data.postings, RefundPosted.type, data.settlement)
    }

    /// Takes what flows back out of a settlement's parts.
    private mutating func applyRefund(_ id: String, _ amount: Amount, _ postings: [Posting], _ type: String) throws(BillingFault) {
        guard var settlement = settlements[id] else { throw BillingFault(type, id, "is not within its holdback") }
        let expected = try lawful(type, id) { () throws(BillingError) in try refundPostings(id, settlement, amount) }
        try expect(postings, expected, type, id)
        for posting in postings where posting.account.accountKind == .pending {
            for index in settlement.parts.indices where journal.accounts[settlement.parts[index].place].id == posting.account {
                settlement.parts[index].units += posting.amount.units
            }
        }
        settlement.refunded += amount.units
        settlements[id] = settlement
    }

    private func contestable(_ id: String, _ now: Timestamp) throws(BillingError) -> OpenSettlement {
        guard let settlement = settlements[id] else {
            if let key = UInt128(uuid: id), settled.contains(key) { throw .windowOver(id) }
            throw .notFound("settlement \(id)")
        }
        guard now < settlement.releaseAt || settlement.dispute != nil else { throw .windowOver(id) }
        return settlement
    }

    // MARK: Disputes

    /// An open dispute.
    public func dispute(_ id: String) -> Dispute? { disputes[id] }

    /// Contests a settlement; it is kept back until a ruling.
    public func openDispute(
        id: String, settlement: String, by account: AccountID, reason: String, evidence: Digest, now: Timestamp
    ) throws(BillingError) -> Decision {
        let open = try contestable(settlement, now)
        if let dispute = open.dispute { throw .inTheWay("the settlement \(settlement) is kept by the dispute \(dispute) already") }
        guard account.accountKind?.isTransferable == true else { throw .wrongKind(account, reason: "cannot pay a bond") }
        let bond = Amount(Int128(rules.disputeBond), open.fee.asset)
        let postings = Self.move(bond, from: account, to: .bonds)
        try journal.check(postings)
        return Decision(
            .disputeOpened(
                DisputeOpened(
                    id: id, settlement: settlement, account: account, bond: bond, reason: reason, evidence: evidence,
                    postings: .entries(postings))))
    }

    mutating func apply(_ data: DisputeOpened, at time: Timestamp) throws(BillingFault) {
        guard disputes[data.id] == nil, var settlement = settlements[data.settlement], settlement.dispute == nil else {
            throw BillingFault(DisputeOpened.type, data.id, "contests what is not within its holdback, or is contested")
        }
        let postings = try post(data.postings, DisputeOpened.type, data.id)
        try expect(postings, Self.move(data.bond, from: data.account, to: .bonds), DisputeOpened.type, data.id)
        settlement.dispute = data.id
        settlements[data.settlement] = settlement
        settlementsDue.remove(Due(time: settlement.releaseAt, id: data.settlement))
        let dispute = Dispute(
            settlement: data.settlement, account: data.account, bond: data.bond, due: time.adding(seconds: Dispute.patience))
        disputes[data.id] = dispute
        disputesDue.insert(Due(time: dispute.due, id: data.id))
    }

    /// Ends a dispute. Upheld, the bond comes back and the fee flows back as far as the ruling says; otherwise the bond is the
    /// platform's.
    /// - Parameter refund: nil for all that is left of the fee when its payer contested it, and for nothing when anybody else did:
    ///   what they contest is who gets it, which a corrected attribution puts right.
    public func resolveDispute(_ id: String, upheld: Bool, refund: Amount?, ruling: String) throws(BillingError) -> Decision {
        guard let dispute = disputes[id], let settlement = settlements[dispute.settlement] else { throw .notFound("open dispute \(id)") }
        if !upheld, let refund, !refund.isZero { throw .invalid(field: "refund", reason: "must be zero when the dispute is not upheld") }
        let left = Amount(settlement.fee.units - settlement.refunded, settlement.fee.asset)
        let whole = dispute.account == settlement.payer ? left : .zero(settlement.fee.asset)
        let back = upheld ? refund ?? whole : .zero(settlement.fee.asset)
        var decision = Decision.nothing
        let list = try decision.list(try resolution(dispute, settlement, upheld, back))
        decision.events = [
            .disputeResolved(
                DisputeResolved(id: id, settlement: dispute.settlement, upheld: upheld, refund: back, ruling: ruling, postings: list))
        ]
        return decision
    }

    private func resolution(_ dispute: Dispute, _ settlement: OpenSettlement, _ upheld: Bool, _ refund: Amount) throws(BillingError)
        -> [Posting]
    {
        var entries = Entries(settlement.fee.asset)
        try entries.move(dispute.bond.units, from: .bonds, to: upheld ? dispute.account : rules.platform)
        if !refund.isZero {
            for posting in try refundPostings(dispute.settlement, settlement, refund) {
                try entries.add(posting.account, posting.amount.units)
            }
        }
        return entries.postings
    }

    /// After a ruling that upholds a dispute and leaves part of the fee where it is, the settlement stays open at least this long, for
    /// the corrected attribution that may follow.
    static let correctionSeconds = 3_600

    mutating func apply(_ data: DisputeResolved, at time: Timestamp) throws(BillingFault) {
        guard let dispute = disputes.removeValue(forKey: data.id), let open = settlements[data.settlement],
            dispute.settlement == data.settlement
        else { throw BillingFault(DisputeResolved.type, data.id, "is not open") }
        disputesDue.remove(Due(time: dispute.due, id: data.id))
        let postings = try entries(data.postings)
        let expected = try lawful(DisputeResolved.type, data.id) { () throws(BillingError) in
            try resolution(dispute, open, data.upheld, data.refund)
        }
        try expect(postings, expected, DisputeResolved.type, data.id)
        if !data.refund.isZero {
            let back = try lawful(DisputeResolved.type, data.id) { () throws(BillingError) in
                try refundPostings(data.settlement, open, data.refund)
            }
            try applyRefund(data.settlement, data.refund, back, DisputeResolved.type)
        }
        _ = try post(data.postings, DisputeResolved.type, data.id)
        let isLeft = open.refunded + data.refund.units < open.fee.units
        let due = data.upheld && isLeft ? max(open.releaseAt, time.adding(seconds: Self.correctionSeconds)) : open.releaseAt
        settlements[data.settlement]?.dispute = nil
        settlements[data.settlement]?.releaseAt = due
        settlementsDue.insert(Due(time: due, id: data.settlement))
    }
}

extension Dispute {
    /// What ends it without a ruling.
    func lapsed(_ id: String) -> DisputeLapsed {
        DisputeLapsed(id: id, settlement: settlement, postings: .entries(BillingState.move(bond, from: .bonds, to: account)))
    }
}

extension BillingState {
    mutating func apply(_ data: DisputeLapsed) throws(BillingFault) {
        guard let dispute = disputes.removeValue(forKey: data.id), let open = settlements[data.settlement],
            dispute.lapsed(data.id) == data
        else { throw BillingFault(DisputeLapsed.type, data.id, "is not open, or of another settlement or bond") }
        disputesDue.remove(Due(time: dispute.due, id: data.id))
        _ = try post(data.postings, DisputeLapsed.type, data.id)
        settlements[data.settlement]?.dispute = nil
        settlementsDue.insert(Due(time: open.releaseAt, id: data.settlement))
    }
}

extension UInt128 {
    /// The bits of a UUID in lower case.
    init?(uuid text: String) {
        guard text.utf8.count == 36 else { return nil }
        self = 0
        for (offset, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where [8, 13, 18, 23].contains(offset): continue
            case 0x30...0x39: self = self << 4 | UInt128(byte - 0x30)
            case 0x61...0x66: self = self << 4 | UInt128(byte - 0x57)
            default: return nil
            }
        }
        // A digit in the place of a hyphen would have made more of them.
        guard text.utf8.count(where: { $0 == UInt8(ascii: "-") }) == 4 else { return nil }
    }

    /// The UUID of these bits in lower case.
    var uuidText: String {
        let digits = String(self, radix: 16)
        let all = Array((String(repeating: "0", count: 32 - digits.count) + digits).utf8)
        var text: [UInt8] = []
        for (index, digit) in all.enumerated() {
            if [8, 12, 16, 20].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(digit)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A name in 128 bits: the first of its SHA-256.
    init(short name: String) {
        self = SHA256.hash(utf8: name).withUnsafeBytes { UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self)) }
    }
}
