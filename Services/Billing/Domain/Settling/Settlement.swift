public import Events
public import Money

/// The computation at the heart of it: from a fee, terms and attribution shares to who gets how much. A pure function in
/// integers, the same on every machine; `openledger audit` runs it again for every settlement.
public enum Settlement {
    /// The fee is split into the platform's part and the net; the net by the model's policy; the Datanets' part by what their
    /// items contributed, each Datanet's by its own policy among treasury, curators (equally) and contributors (by share); the
    /// contributors' part by share; the validators' part by Datanet, equally among each one's validators. What nobody is there to
    /// get goes to the Datanet's treasury, and without any shares to the model's owner.
    /// - Parameter shares: whose work shaped it, in parts of 10^9 that add up to it; may be empty.
    /// - Returns: each account's part, above zero; they add up to the fee.
    public static func compute(fee: Amount, terms: SettlementTerms, shares: [AttributionShare]) throws(BillingError) -> [AccountID: Int128]
    {
        guard !fee.isNegative else { throw .notPositive("a fee") }
        return try tree(terms: terms, shares: shares).divide(fee)
    }

    /// The entries of a settlement: from the captured fees to what each account has pending, in the order of their names.
    public static func postings(fee: Amount, parts: [AccountID: Int128]) throws(BillingError) -> [Posting] {
        var entries = Entries(fee.asset)
        for (account, units) in parts { try entries.move(units, from: .fees, to: account.pending) }
        return entries.postings
    }

    /// How the fee is divided, before any amount is known.
    public static func tree(terms: SettlementTerms, shares: [AttributionShare]) throws(BillingError) -> SplitNode {
        let split = terms.split
        try checkPoints([terms.platformPoints, 10_000 - terms.platformPoints], "the platform's part")
        try checkPoints([split.owner, split.datanets, split.contributors, split.validators, split.compute], "the model's split")
        let owner = SplitNode.account(try AccountID(.modelOwner, terms.owner))
        let compute = SplitNode.account(try AccountID(.compute, terms.runner))
        let net: SplitNode
        if shares.isEmpty {
            net = .parts([part(10_000 - split.compute, owner, "owner"), part(split.compute, compute, "compute")])
        } else {
            let groups = try Groups(shares, terms)
            net = .parts([
                part(split.owner, owner, "owner"), part(split.datanets, try groups.datanets(), "datanets"),
                part(split.contributors, try groups.contributors(), "contributors"),
                part(split.validators, try groups.validators(), "validators"), part(split.compute, compute, "compute"),
            ])
        }
        return .parts([
            part(terms.platformPoints, .account(terms.platform), "platform"), part(10_000 - terms.platformPoints, net, "net"),
        ])
    }

    private static func part(_ points: Int, _ node: SplitNode, _ name: String) -> SplitNode.Part {
        SplitNode.Part(UInt64(points), node, name)
    }

    /// Throws unless the basis points are what they must be.
    static func checkPoints(_ points: [Int], _ what: String) throws(BillingError) {
        try exactly { () throws(MoneyError) in
            var parts: [BasisPoints] = []
            for value in points { parts.append(try BasisPoints(Int64(value))) }
            do throws(MoneyError) { try BasisPoints.checkWhole(parts) } catch {
                if case .wrongTotal(_, let expected, let actual) = error {
                    throw .wrongTotal(what: "the basis points of \(what)", expected: expected, actual: actual)
                }
                throw error
            }
        }
    }
}

extension Settlement {
    /// Throws unless shares are parts of 10^9 that make it.
    static func checkWhole(_ shares: [AttributionShare]) throws(BillingError) {
        try exactly { () throws(MoneyError) in
            var all: [Share] = []
            for share in shares { all.append(try Share(billionths: Int64(share.share))) }
            try Share.checkWhole(all)
        }
    }

    /// What a Datanet does with its part: its treasury's, its curators' and its contributors'.
    /// - Parameter owners: in the order of their ids; where there are none, that part is the treasury's.
    static func inside(
        _ id: String, _ terms: SettlementTerms.Datanet, _ owners: [(id: String, weight: UInt64)]
    ) throws(BillingError) -> SplitNode {
        let treasury = SplitNode.account(try AccountID(.datanet, id))
        let curators = try equally(.curator, terms.curators) ?? treasury
        let contributors = owners.isEmpty ? treasury : try weighted(.contributor, owners)
        return .parts([
            part(terms.treasury, treasury, "treasury"), part(terms.curating, curators, "curators"),
            part(terms.contributing, contributors, "contributors"),
        ])
    }

    private static func equally(_ kind: AccountKind, _ owners: [String]) throws(BillingError) -> SplitNode? {
        owners.isEmpty ? nil : try weighted(kind, owners.map { (id: $0, weight: 1) })
    }

    private static func weighted(_ kind: AccountKind, _ owners: [(id: String, weight: UInt64)]) throws(BillingError) -> SplitNode {
        var parts: [SplitNode.Part] = []
        for owner in owners { parts.append(SplitNode.Part(owner.weight, .account(try AccountID(kind, owner.id)), owner.id)) }
        return .parts(parts)
    }

    /// The shares, by Datanet and by owner.
    private struct Groups {
        private let byDatanet: [(id: String, weight: UInt64, terms: SettlementTerms.Datanet, owners: [(id: String, weight: UInt64)])]
        private let byOwner: [(id: String, weight: UInt64)]

        init(_ shares: [AttributionShare], _ terms: SettlementTerms) throws(BillingError) {
            try Settlement.checkWhole(shares)
            var datanets: [String: [String: UInt64]] = [:]
            var owners: [String: UInt64] = [:]
            for share in shares where share.share > 0 {
                datanets[share.datanet, default: [:]][share.owner, default: 0] += UInt64(share.share)
                owners[share.owner, default: 0] += UInt64(share.share)
            }
            byOwner = Self.inOrder(owners)
            var groups: [(String, UInt64, SettlementTerms.Datanet, [(id: String, weight: UInt64)])] = []
            for id in datanets.keys.sorted(by: SettlementTerms.Datanet.inOrder) {
                guard let datanet = terms.datanets[id] else { throw .notFound("Datanet \(id)") }
                try Settlement.checkPoints([datanet.treasury, datanet.curating, datanet.contributing], "the split of Datanet \(id)")
                let owners = Self.inOrder(datanets[id] ?? [:])
                groups.append((id, owners.reduce(0) { $0 + $1.weight }, datanet, owners))
            }
            byDatanet = groups.map { (id: $0.0, weight: $0.1, terms: $0.2, owners: $0.3) }
        }

        func datanets() throws(BillingError) -> SplitNode {
            var parts: [SplitNode.Part] = []
            for group in byDatanet {
                parts.append(SplitNode.Part(group.weight, try inside(group.id, group.terms, group.owners), group.id))
            }
            return .parts(parts)
        }

        func contributors() throws(BillingError) -> SplitNode { try weighted(.contributor, byOwner) }

        func validators() throws(BillingError) -> SplitNode {
            var parts: [SplitNode.Part] = []
            for group in byDatanet {
                let treasury = SplitNode.account(try AccountID(.datanet, group.id))
                parts.append(SplitNode.Part(group.weight, try equally(.validator, group.terms.validators) ?? treasury, group.id))
            }
            return .parts(parts)
        }

        private static func inOrder(_ weights: [String: UInt64]) -> [(id: String, weight: UInt64)] {
            weights.map { (id: $0.key, weight: $0.value) }.sorted { SettlementTerms.Datanet.inOrder($0.id, $1.id) }
        }
    }
}
