public import Events
internal import Money

/// Who gets what of a stage of a task: the computation, without any state, that billing, audits and receipts share.
public enum TaskSplit {
    /// A Datanet that a part of the pay is for.
    public struct Source: Sendable, Hashable {
        /// What it does with its part.
        public var terms: SettlementTerms.Datanet
        /// Whose work its newest snapshot is, in parts of 10^9; none before its first.
        public var shares: [AttributionShare]

        /// From its parts.
        public init(terms: SettlementTerms.Datanet, shares: [AttributionShare]) {
            self.terms = terms
            self.shares = shares
        }
    }

    /// The Datanets that a part of the pay is for.
    public static func datanets(of task: TaskCompleted) -> Set<String> { Set(task.payouts.compactMap { datanet($0.account) }) }

    /// How the pay is divided: as its event says; what is a Datanet's by its own terms among treasury, curators (equally) and contributors
    /// (by what of its newest snapshot is theirs). What nobody is there to get is the treasury's.
    /// - Parameter datanets: of all that a part is for; nil by earlier editions, which gave it to the treasury.
    public static func tree(of task: TaskCompleted, _ datanets: [String: Source]?) throws(BillingError) -> SplitNode {
        var parts: [SplitNode.Part] = []
        for payout in task.payouts {
            let account = payout.account
            guard payout.amount.isPositive, payout.amount.asset == task.amount.asset, account.accountKind?.isTransferable == true,
                let weight = UInt64(exactly: payout.amount.units)
            else {
                throw .invalid(field: "payouts", reason: "must each be above zero, in \(task.amount.asset), to an account that is paid")
            }
            var node = SplitNode.account(account)
            if let datanets, let id = datanet(account) {
                guard let source = datanets[id] else { throw .notFound("Datanet \(id)") }
                node = try inside(id, source)
            }
            parts.append(SplitNode.Part(weight, node, account.text))
        }
        return .parts(parts)
    }

    private static func inside(_ id: String, _ source: Source) throws(BillingError) -> SplitNode {
        let terms = source.terms
        try Settlement.checkPoints([terms.treasury, terms.curating, terms.contributing], "the split of Datanet \(id)")
        if !source.shares.isEmpty { try Settlement.checkWhole(source.shares) }
        var owners: [String: UInt64] = [:]
        for share in source.shares where share.share > 0 { owners[share.owner, default: 0] += UInt64(share.share) }
        return try Settlement.inside(
            id, terms,
            owners.map { (id: $0.key, weight: $0.value) }.sorted { SettlementTerms.Datanet.inOrder($0.id, $1.id) })
    }

    private static func datanet(_ account: AccountID) -> String? { account.accountKind == .datanet ? String(account.owner) : nil }
}
