internal import Events
internal import Money

/// The payouts of a receipt, and how far they bring a settlement.
struct ReceiptPayouts {
    let facts: ReceiptFacts
    let payee: AccountID
    let payouts: [ReceiptPayout]

    private struct Paid {
        let position: Int
        let units: Int128
        let cameBack: Bool
        let hasArrived: Bool
    }

    func check(_ settled: ReceiptCheck.Settled) throws(ReceiptFault) {
        let state = try state(settled.part, credit: settled.credit, settled.bill.fee.asset)
        guard settled.part.state == state else {
            throw ReceiptFault(.state, "the settlement is \(state.rawValue), not \(settled.part.state.rawValue)")
        }
    }

    /// How far the payee's part has come.
    func state(_ part: ReceiptSettlement, credit: Int?, _ asset: Asset) throws(ReceiptFault) -> ReceiptState {
        var all: [Paid] = []
        for payout in payouts {
            let paid = try read(payout, asset)
            try need(all.last.map { $0.position < paid.position } ?? true, "the payouts do not rise")
            all.append(paid)
        }
        if part.disputed != nil { return .disputed }
        if part.left == 0 { return try isCorrectedAway(part) ? .corrected : .returned }
        if part.releases.isEmpty { return .heldBack }
        guard let credit, let balance = part.balance else { return .waiting }
        let since = all.filter { $0.position > credit }
        if since.filter(\.hasArrived).reduce(into: Int128(0), { $0 &+= $1.units }) >= balance { return .paid }
        let requested = since.filter { !$0.cameBack }.reduce(into: Int128(0)) { $0 &+= $1.units }
        return requested >= balance ? .onItsWay : .credited
    }

    /// Whether the last correction that moved anything left the payee nothing.
    private func isCorrectedAway(_ part: ReceiptSettlement) throws(ReceiptFault) -> Bool {
        for correction in part.corrections.reversed() {
            if try !facts.data(SettlementCorrected.self, correction.settled).late { return correction.units == 0 }
        }
        return false
    }

    private func read(_ payout: ReceiptPayout, _ asset: Asset) throws(ReceiptFault) -> Paid {
        switch payout {
        case .rail(let request, let finish):
            let out = try facts.data(PayoutRequested.self, request)
            try need(out.account == payee, "the payout at \(request) is another's")
            let units = 0 &- (try facts.sums(out.postings)[payee] ?? 0)
            try need(
                out.amount.asset == asset && out.amount.units == units && units > 0, "the payout at \(request) is of another amount")
            guard let finish else { return Paid(position: request, units: units, cameBack: false, hasArrived: false) }
            let end = try facts.data(PayoutFinished.self, finish)
            try need(end.id == out.id && finish > request, "the end at \(finish) is another payout's")
            return Paid(position: request, units: units, cameBack: !end.paid, hasArrived: end.paid)
        case .wallet(let epoch, let wallet, let claim):
            let closed = try facts.data(PayoutEpochClosed.self, epoch)
            let set = try facts.data(WalletSet.self, wallet)
            let units = 0 &- (try facts.sums(closed.postings)[payee] ?? 0)
            try need(closed.asset == asset && units > 0, "the epoch at \(epoch) pays the payee nothing")
            try need(set.owner == payee.owner && wallet < epoch, "the wallet at \(wallet) is another's, or was set later")
            guard let claim else { return Paid(position: epoch, units: units, cameBack: false, hasArrived: false) }
            let claimed = try facts.data(PayoutClaimed.self, claim)
            try need(
                claimed.address == set.address && claimed.asset == asset && claimed.epoch >= closed.epoch && claim > epoch,
                "the claim at \(claim) is another wallet's, or of an earlier epoch")
            let owed = try owed(to: set.address, until: epoch)
            try need(
                claimed.cumulative.asset == asset && claimed.cumulative.units >= owed,
                "the claim at \(claim) is of less than the \(owed) that the wallet was to have by then")
            return Paid(position: epoch, units: units, cameBack: false, hasArrived: true)
        }
    }

    /// What the receipt's epochs pay the payee to a wallet, up to one of them.
    private func owed(to address: String, until last: Int) throws(ReceiptFault) -> Int128 {
        var owed: Int128 = 0
        for case .wallet(let epoch, let wallet, _) in payouts where epoch <= last {
            guard try facts.data(WalletSet.self, wallet).address == address else { continue }
            owed = owed &- (try facts.sums(try facts.data(PayoutEpochClosed.self, epoch).postings)[payee] ?? 0)
        }
        return owed
    }

    private func need(_ truth: Bool, _ reason: @autoclosure () -> String) throws(ReceiptFault) {
        if !truth { throw ReceiptFault(.payout, reason()) }
    }
}
