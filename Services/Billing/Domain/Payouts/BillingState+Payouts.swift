public import Crypto
internal import EVM
public import Events
public import Money

extension BillingState {
    // MARK: Rails

    /// A payout that is on its way.
    public func payout(_ id: String) -> PayoutRequested? { payouts[id] }

    /// All payouts on their way on a rail, in the order of their ids.
    public func payouts(on rail: String) -> [PayoutRequested] {
        payouts.values.filter { $0.rail == rail }.sorted { SettlementTerms.Datanet.inOrder($0.id, $1.id) }
    }

    /// Sends money out on a rail.
    public func requestPayout(
        id: String, from account: AccountID, _ amount: Amount, rail: String, destination: Digest
    ) throws(BillingError) -> Decision {
        guard amount.isPositive else { throw .notPositive("a payout") }
        guard account.accountKind?.isTransferable == true else { throw .wrongKind(account, reason: "cannot be paid out") }
        guard rail != "evm" else { throw .invalid(field: "rail", reason: "evm is paid by epochs: set a wallet") }
        let postings = Self.move(amount, from: account, to: try AccountID(.payout, rail))
        try journal.check(postings)
        return Decision(
            .payoutRequested(
                PayoutRequested(
                    id: id, account: account, amount: amount, rail: rail, destination: destination, postings: .entries(postings))))
    }

    mutating func apply(_ data: PayoutRequested) throws(BillingFault) {
        let postings = try post(data.postings, PayoutRequested.type, data.id)
        try expect(
            postings, Self.move(data.amount, from: data.account, to: AccountID(trusted: "payout:" + data.rail)), PayoutRequested.type,
            data.id)
        guard payouts.updateValue(data, forKey: data.id) == nil else {
            throw BillingFault(PayoutRequested.type, data.id, "is there already")
        }
    }

    /// The payouts of a rail that are in no file yet, in the order of their ids.
    public func unsentPayouts(on rail: String) -> [PayoutRequested] { payouts(on: rail).filter { !sentPayouts.contains($0.id) } }

    /// What a file of a rail had; nil for one that there was not.
    public func sentPayouts(on rail: String, batch: Int) -> [PayoutRequested]? {
        guard let batches = sentBatches[rail], (1...max(1, batches.count)).contains(batch), !batches.isEmpty else { return nil }
        return batches[batch - 1]
    }

    /// Puts what is in no file yet into the next one; nothing where there is nothing.
    public func sendPayouts(on rail: String) throws(BillingError) -> Decision {
        guard rail != "sandbox", rail != "evm" else { throw .invalid(field: "rail", reason: "has no files") }
        let unsent = unsentPayouts(on: rail).prefix(PayoutSent.maximumCount)
        guard !unsent.isEmpty else { return .nothing }
        return Decision(
            .payoutSent(PayoutSent(batch: (sentBatches[rail]?.count ?? 0) + 1, rail: rail, payouts: unsent.map(\.id))))
    }

    mutating func apply(_ data: PayoutSent) throws(BillingFault) {
        guard data.batch == (sentBatches[data.rail]?.count ?? 0) + 1 else {
            throw BillingFault(PayoutSent.type, "\(data.rail) \(data.batch)", "does not follow the file before it")
        }
        var batch: [PayoutRequested] = []
        for id in data.payouts {
            guard let payout = payouts[id], payout.rail == data.rail, sentPayouts.insert(id).inserted else {
                throw BillingFault(PayoutSent.type, id, "is not on its way, or is in a file already")
            }
            batch.append(payout)
        }
        sentBatches[data.rail, default: []].append(batch)
    }

    /// Ends a payout: it was paid, or it comes back.
    public func finishPayout(_ id: String, paid: Bool, reference: String) throws(BillingError) -> Decision {
        guard let payout = payouts[id] else { throw .notFound("payout \(id) on its way") }
        return Decision(
            .payoutFinished(PayoutFinished(id: id, paid: paid, reference: reference, postings: .entries(Self.finish(payout, paid)))))
    }

    private static func finish(_ payout: PayoutRequested, _ paid: Bool) -> [Posting] {
        move(
            payout.amount, from: AccountID(trusted: "payout:" + payout.rail),
            to: paid ? AccountID(trusted: "external:" + payout.rail) : payout.account)
    }

    mutating func apply(_ data: PayoutFinished) throws(BillingFault) {
        guard let payout = payouts.removeValue(forKey: data.id) else {
            throw BillingFault(PayoutFinished.type, data.id, "is not on its way")
        }
        sentPayouts.remove(data.id)
        try expect(try post(data.postings, PayoutFinished.type, data.id), Self.finish(payout, data.paid), PayoutFinished.type, data.id)
    }
}
