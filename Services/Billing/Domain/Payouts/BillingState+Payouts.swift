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
        try expect(try post(data.postings, PayoutFinished.type, data.id), Self.finish(payout, data.paid), PayoutFinished.type, data.id)
    }
}
