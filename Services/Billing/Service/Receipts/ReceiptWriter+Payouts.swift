internal import BillingDomain
internal import Events
internal import Money
internal import Web

/// From a settlement to the payouts behind it, and from a payout to the settlements before it. Money in an account is one balance: what a
/// payout takes is what came in first.
extension ReceiptWriter {
    /// Entries of an account that are looked through at most.
    private static let mostEntries = 100_000

    /// The first release that credits an account after a position.
    func firstCredit(of account: AccountID, _ asset: Asset, after position: Int) async throws -> Int? {
        var found: Int?
        try await entries(of: account, asset, after: position) { line in
            guard line.type == SettlementReleased.type, line.amount.isPositive else { return true }
            found = Int(line.position)
            return false
        }
        return found
    }

    /// Goes through an account's entries, in order, until the body says no.
    private func entries(
        of account: AccountID, _ asset: Asset, after: Int, _ body: (StatementLine) -> Bool
    ) async throws {
        var next = Int64(after)
        for _ in 0..<Self.mostEntries / 1_000 {
            let lines = try await journal.statement(
                of: account, asset, from: Timestamp(microseconds: 0), to: .maximum, after: next, limit: 1_000)
            for line in lines where !body(line) { return }
            guard let last = lines.last, lines.count == 1_000 else { return }
            next = Int64(last.position)
        }
    }

    /// The payouts since the first credit, until they are more than every credit's balance.
    mutating func payouts(
        of payee: AccountID, _ asset: Asset, behind parts: [ReceiptSettlement], atLeast last: Int?
    ) async throws -> [ReceiptPayout] {
        guard let first = parts.filter({ $0.balance != nil }).compactMap(\.releases.last).min() else { return [] }
        let needed = parts.compactMap(\.balance).reduce(into: Int128(0)) { $0 += $1 }
        var lines: [StatementLine] = []
        var left: Int128 = 0
        try await entries(of: payee, asset, after: first) { line in
            guard [PayoutRequested.type, PayoutEpochClosed.type].contains(line.type), line.amount.isNegative else { return true }
            lines.append(line)
            left -= line.amount.units
            let isEnough = left >= needed && (last.map { Int(line.position) >= $0 } ?? true)
            return !isEnough && lines.count < Receipt.maximumPayouts
        }
        var payouts: [ReceiptPayout] = []
        // What the wallets, by where they were set, were to have by then.
        var owed: [Int: Int128] = [:]
        for line in lines {
            let position = Int(line.position)
            if line.type == PayoutRequested.type {
                let finish = try await archive.milestones.last(PayoutFinished.type, line.subject)
                payouts.append(.rail(request: position, finish: finish))
            } else if let wallet = try await wallet(of: payee, epoch: position, pays: -line.amount.units, &owed) {
                payouts.append(wallet)
            }
        }
        return payouts
    }

    /// What an epoch pays, with the first claim that covers it.
    private mutating func wallet(
        of payee: AccountID, epoch: Int, pays units: Int128, _ owed: inout [Int: Int128]
    ) async throws -> ReceiptPayout? {
        let milestones = archive.milestones
        guard let set = try await milestones.last(WalletSet.type, String(payee.owner), before: epoch) else { return nil }
        let closed = try await archive.data(PayoutEpochClosed.self, epoch)
        _ = try await archive.entries(closed.postings)
        let address = try await archive.data(WalletSet.self, set).address
        owed[set, default: 0] += units
        for position in try await milestones.all(PayoutClaimed.type, address, after: epoch) {
            let claim = try await archive.data(PayoutClaimed.self, position)
            if claim.asset == closed.asset, claim.epoch >= closed.epoch, claim.cumulative.units >= owed[set, default: 0] {
                return .wallet(epoch: epoch, wallet: set, claim: position)
            }
        }
        return .wallet(epoch: epoch, wallet: set, claim: nil)
    }

    /// The settlements whose money a payout took, oldest first.
    mutating func settlements(behind payout: PayoutRequested, at position: Int) async throws -> [Int] {
        var lines: [StatementLine] = []
        try await entries(of: payout.account, payout.amount.asset, after: -1) { line in
            lines.append(line)
            return line.position < UInt64(position)
        }
        lines.removeAll { $0.position > UInt64(position) }
        // What came back never left.
        let returned = Set(lines.filter { $0.type == PayoutFinished.type && $0.amount.isPositive }.map(\.subject))
        lines.removeAll { returned.contains($0.subject) && $0.subject != payout.id }
        let before = lines.filter { $0.amount.isNegative && $0.position < UInt64(position) }
            .reduce(into: Int128(0)) { $0 -= $1.amount.units }
        var taken: Set<Int> = []
        var start: Int128 = 0
        let credits = lines.filter { $0.amount.isPositive && $0.type == SettlementReleased.type }.map { Int($0.position) }
        for line in lines where line.amount.isPositive {
            let end = start + line.amount.units
            if end > before, start < before + payout.amount.units { taken.insert(Int(line.position)) }
            start = end
        }
        return try await settlements(of: payout.account, payout.amount.asset, creditedAt: taken.intersection(credits), credits)
    }

    /// The settlements that gave an account something and were credited at one of these positions: when they were released, or, where their
    /// owner was not verified then, at the first credit after that.
    private func settlements(of account: AccountID, _ asset: Asset, creditedAt wanted: Set<Int>, _ credits: [Int]) async throws -> [Int] {
        guard let last = wanted.max(), let pending = AccountID("pending:" + account.text) else { return [] }
        var posted: Set<String> = []
        try await entries(of: pending, asset, after: -1) { line in
            // A correction stands in the journal under what it corrects.
            if [SettlementPosted.type, SettlementCorrected.type].contains(line.type), line.amount.isPositive {
                posted.insert(line.subject)
            }
            return line.position < UInt64(last)
        }
        let released = try await archive.milestones.first(SettlementReleased.type, of: posted.sorted())
        let settled = try await archive.milestones.first(SettlementPosted.type, of: posted.sorted())
        var found: [Int] = []
        for subject in posted {
            guard let release = released[subject], let credit = credits.first(where: { $0 >= release }), wanted.contains(credit),
                let position = settled[subject]
            else { continue }
            found.append(position)
        }
        return Array(found.sorted().prefix(Receipt.maximumSettlements))
    }
}
