public import Events
public import Money

/// One step from a fee to what an account gets of it: a part of what the step before left, by weight.
public struct SplitStep: Sendable, Hashable {
    /// What the part is called: `net`, `contributors`, an owner's id.
    public let name: String
    /// Its weight among its neighbours.
    public let weight: UInt64
    /// What the weights add up to.
    public let of: UInt64
    /// How much it is, in minor units.
    public let units: Int128

    /// From its parts.
    public init(name: String, weight: UInt64, of: UInt64, units: Int128) {
        self.name = name
        self.weight = weight
        self.of = of
        self.units = units
    }
}

extension SplitNode {
    /// A way on which part of an amount comes to an account.
    public typealias Way = (account: AccountID, steps: [SplitStep])

    /// All ways, in the order of the tree, without those that bring nothing. What they bring adds up to the amount.
    public func ways(of amount: Amount) throws(BillingError) -> [Way] {
        var ways: [Way] = []
        try collect(amount, [], into: &ways)
        return ways
    }

    private func collect(_ amount: Amount, _ path: [SplitStep], into ways: inout [Way]) throws(BillingError) {
        if amount.isZero { return }
        guard path.count < Self.maximumDepth else { throw .invalid(field: "split", reason: "has more than \(Self.maximumDepth) levels") }
        switch self {
        case .account(let account): ways.append((account, path))
        case .parts(let parts):
            let amounts = try exactly { () throws(MoneyError) in try amount.split(by: parts.map(\.weight)) }
            let total = parts.reduce(into: UInt64(0)) { $0 &+= $1.weight }
            for (part, share) in zip(parts, amounts) {
                let step = SplitStep(name: part.name, weight: part.weight, of: total, units: share.units)
                try part.node.collect(share, path + [step], into: &ways)
            }
        }
    }
}
