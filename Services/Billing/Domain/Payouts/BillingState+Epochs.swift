internal import EVM
internal import Events
public import Money

extension BillingState {
    /// The last closed epoch of an asset.
    public func epoch(_ asset: Asset) -> ClosedEpoch? { epochs[asset] }

    /// All closed epochs of an asset, the first one first.
    public func pastEpochs(_ asset: Asset) -> [PastEpoch] { pastEpochs[asset] ?? [] }

    /// What wallets had earned in all when an epoch closed, in the order of their addresses; nil for an epoch that is not closed.
    public func leaves(_ asset: Asset, epoch: Int) -> [WalletLeaf]? {
        guard let last = epochs[asset], epoch >= 1, epoch <= last.number else { return nil }
        if epoch == last.number { return last.leaves }
        var sums: [EVMAddress: UInt128] = [:]
        for past in pastEpochs(asset).prefix(epoch) {
            for leaf in past.changes { sums[leaf.address] = leaf.cumulative }
        }
        return sums.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { WalletLeaf(address: $0.key, cumulative: $0.value) }
    }

    /// Closes an epoch: all that owners with a wallet have available, unless it is dust, is theirs to claim.
    /// - Parameter edition: of the rules; an audit names that of the epoch which it computes again.
    public func closeEpoch(_ asset: Asset, edition: Int = BillingState.presentEdition) throws(BillingError) -> Decision {
        var entries = Entries(asset)
        var owed = 0
        for account in journal.accounts where account.asset == asset && account.id.accountKind?.isPaidOut == true {
            // What does not go into one transaction is the next epoch's.
            if owed == Decision.maximumEntries - 1 { break }
            let units = account.available
            guard units > 0, units >= Int128(rules.dust), wallets[String(account.id.owner)] != nil else { continue }
            try entries.move(units, from: account.id, to: .wallets)
            owed += 1
        }
        guard owed > 0 || (edition > 1 && isRestDue(asset)) else {
            throw .notFound("balance in \(asset) above \(rules.dust) of an owner with a wallet")
        }
        let postings = entries.postings
        let closing = try closing(asset, postings, edition: edition)
        guard let tree = StandardMerkleTree(closing.epoch.leaves), let liabilities = LiabilityTree(closing.epoch.liabilities) else {
            throw .money(.overflow(asset))
        }
        var decision = Decision.nothing
        let list = try decision.list(postings)
        decision.events = [
            .payoutEpochClosed(
                PayoutEpochClosed(
                    epoch: closing.epoch.number, asset: asset, root: tree.rootText, wallets: closing.epoch.leaves.count,
                    cumulative: Amount(closing.total, asset), liabilitiesRoot: liabilities.root.hash,
                    liabilities: Amount(Int128(clamping: liabilities.root.sum), asset), accounts: closing.epoch.liabilities.count,
                    edition: edition > 1 ? edition : nil, postings: list))
        ]
        return decision
    }

    /// Whether what an earlier wallet left, and can claim no more, is its owner's present wallet's now.
    private func isRestDue(_ asset: Asset) -> Bool {
        let served = Dictionary((epochs[asset]?.leaves ?? []).map { ($0.address, $0.cumulative) }) { first, _ in first }
        return (earned[asset] ?? [:]).contains { address, units in
            guard let owner = walletOwners[address], let wallet = wallets[owner]?.address, wallet != address else { return false }
            return units > claimed[asset]?[address] ?? 0 && served[address] != UInt128(units)
        }
    }

    /// What an epoch with these entries leaves behind.
    ///
    /// What an earlier wallet has not claimed follows its owner to the present one, in two steps: until a distributor has the next root, it
    /// pays by the last one, and what it pays is booked later still. So an epoch first says that nothing more is owed to the earlier
    /// wallet, and the one after it gives to the present wallet what has not been claimed by then.
    private func closing(_ asset: Asset, _ postings: [Posting], edition: Int) throws(BillingError)
        -> (epoch: ClosedEpoch, earned: [EVMAddress: Int128], total: Int128)
    {
        var earned = self.earned[asset] ?? [:]
        var served: [EVMAddress: UInt128] = [:]
        for leaf in epochs[asset]?.leaves ?? [] { served[leaf.address] = leaf.cumulative }
        // What the leaves of wallets say from which nothing more may be claimed, while their earnings are still their own.
        var retired: [EVMAddress: Int128] = [:]
        for (address, units) in earned {
            guard let owner = walletOwners[address], let wallet = wallets[owner]?.address, wallet != address else { continue }
            let paid = claimed[asset]?[address] ?? 0
            guard units > paid else { continue }
            if edition > 1, served[address] == UInt128(units) {
                retired[address] = paid
            } else {
                earned[address] = paid
                earned[wallet, default: 0] += units - paid
            }
        }
        for posting in postings where posting.amount.isNegative {
            guard let wallet = wallets[String(posting.account.owner)]?.address else {
                throw .notFound("wallet of \(posting.account.owner)")
            }
            earned[wallet, default: 0] += -posting.amount.units
        }
        var after = journal
        try after.post(postings)
        var total: Int128 = 0
        let leaves = earned.merging(retired) { _, left in left }.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { address, units in
            total += units
            return WalletLeaf(address: address, cumulative: UInt128(units))
        }
        let liabilities = after.accounts.filter { $0.asset == asset && $0.balance > 0 && $0.id.accountKind != .external }
            .map { Liability(account: $0.id, units: UInt128($0.balance)) }.sorted { $0.account < $1.account }
        return (ClosedEpoch(number: (epochs[asset]?.number ?? 0) + 1, leaves: leaves, liabilities: liabilities), earned, total)
    }

    mutating func apply(_ data: PayoutEpochClosed) throws(BillingFault) {
        let subject = "\(data.asset) \(data.epoch)"
        do throws(BillingError) {
            let postings: [Posting]
            do throws(BillingFault) { postings = try entries(data.postings) } catch { throw .notFound(error.reason) }
            let edition = data.edition ?? 1
            guard isPresent(edition) else {
                throw .invalid(field: "edition", reason: "is older than that of an earlier event, or is not known")
            }
            let closing = try closing(data.asset, postings, edition: edition)
            guard let tree = StandardMerkleTree(closing.epoch.leaves), let liabilities = LiabilityTree(closing.epoch.liabilities),
                closing.epoch.number == data.epoch, tree.rootText == data.root, liabilities.root.hash == data.liabilitiesRoot,
                Int128(clamping: liabilities.root.sum) == data.liabilities.units, closing.total == data.cumulative.units,
                closing.epoch.leaves.count == data.wallets, closing.epoch.liabilities.count == data.accounts
            else { throw .invalid(field: "root", reason: "is not that of the wallets' earnings, or the liabilities are others") }
            try journal.post(postings)
            pastEpochs[data.asset, default: []].append(
                PastEpoch(data, changes: Self.changes(from: epochs[data.asset]?.leaves ?? [], to: closing.epoch.leaves)))
            self.edition = edition
            earned[data.asset] = closing.earned
            epochs[data.asset] = closing.epoch
        } catch { throw BillingFault(PayoutEpochClosed.type, subject, "\(error)") }
    }

    /// What a tree has otherwise than the one before it: nothing, where a wallet is in it no more.
    private static func changes(from before: [WalletLeaf], to after: [WalletLeaf]) -> [WalletLeaf] {
        var left: [EVMAddress: UInt128] = [:]
        for leaf in before { left[leaf.address] = leaf.cumulative }
        var changes: [WalletLeaf] = []
        for leaf in after where left.removeValue(forKey: leaf.address) != leaf.cumulative { changes.append(leaf) }
        changes += left.keys.map { WalletLeaf(address: $0, cumulative: 0) }
        return changes.sorted { $0.address < $1.address }
    }

    /// Books that a wallet was paid by the distributor.
    public func claim(_ asset: Asset, address: String, cumulative: Amount, transaction: String) throws(BillingError) -> Decision {
        guard let epoch = epochs[asset] else { throw .notFound("closed epoch in \(asset)") }
        guard cumulative.asset == asset else { throw .wrongAsset(expected: asset, actual: cumulative.asset) }
        guard let wallet = EVMAddress(address), let earned = earned[asset]?[wallet] else {
            throw .notFound("wallet \(address) with earnings in \(asset)")
        }
        let before = claimed[asset]?[wallet] ?? 0
        guard cumulative.units > before else { throw .exists("the claim of \(wallet) up to \(Amount(before, asset))") }
        guard cumulative.units <= earned else {
            throw .beyond(what: "the earnings of \(wallet)", wanted: cumulative, left: Amount(earned, asset))
        }
        let postings = Self.move(Amount(cumulative.units - before, asset), from: .wallets, to: .chain)
        return Decision(
            .payoutClaimed(
                PayoutClaimed(
                    asset: asset, epoch: epoch.number, address: wallet.description, cumulative: cumulative, transaction: transaction,
                    postings: .entries(postings))))
    }

    mutating func apply(_ data: PayoutClaimed) throws(BillingFault) {
        guard let wallet = EVMAddress(data.address), data.cumulative.units <= earned[data.asset]?[wallet] ?? 0 else {
            throw BillingFault(PayoutClaimed.type, data.address, "claims more than was earned")
        }
        let before = claimed[data.asset]?[wallet] ?? 0
        let postings = try post(data.postings, PayoutClaimed.type, data.address)
        let paid = Amount(data.cumulative.units - before, data.asset)
        guard paid.isPositive else { throw BillingFault(PayoutClaimed.type, data.address, "claims twice") }
        try expect(postings, Self.move(paid, from: .wallets, to: .chain), PayoutClaimed.type, data.address)
        claimed[data.asset, default: [:]][wallet] = data.cumulative.units
    }
}
