public import Events
public import Money

/// How an amount is divided: a tree whose every level is split by largest remainder, in the order in which the parts stand.
public indirect enum SplitNode: Sendable, Hashable {
    /// All of it goes to one account.
    case account(AccountID)
    /// It is split by weights, each part divided again.
    case parts([Part])

    /// A part and its weight.
    public struct Part: Sendable, Hashable {
        /// Its weight among its neighbours.
        public let weight: UInt64
        /// How it is divided.
        public let node: SplitNode
        /// What receipts call it.
        public let name: String

        /// From its parts.
        public init(_ weight: UInt64, _ node: SplitNode, _ name: String) {
            self.weight = weight
            self.node = node
            self.name = name
        }
    }

    /// At most this many levels.
    public static let maximumDepth = 16

    /// Divides an amount; the parts of one account are added up. Accounts that get nothing are left out.
    public func divide(_ amount: Amount) throws(BillingError) -> [AccountID: Int128] {
        var parts: [AccountID: Int128] = [:]
        try divide(amount, depth: Self.maximumDepth, into: &parts)
        return parts
    }

    private func divide(_ amount: Amount, depth: Int, into sums: inout [AccountID: Int128]) throws(BillingError) {
        if amount.isZero { return }
        guard depth > 0 else { throw .invalid(field: "split", reason: "has more than \(Self.maximumDepth) levels") }
        switch self {
        case .account(let account): sums[account, default: 0] += amount.units
        case .parts(let parts):
            let amounts = try exactly { () throws(MoneyError) in try amount.split(by: parts.map(\.weight)) }
            for (part, share) in zip(parts, amounts) { try part.node.divide(share, depth: depth - 1, into: &sums) }
        }
    }
}
