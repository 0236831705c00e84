public import Crypto
internal import Events
public import Money

/// What is kept of each closed epoch: what it said, and what it changed, so that its tree can be made again.
public struct PastEpoch: Sendable, Hashable {
    /// From 1.
    public let number: Int
    /// The root of the wallets' tree.
    public let root: String
    /// How many wallets it has.
    public let wallets: Int
    /// What they had earned in all.
    public let cumulative: Amount
    /// The root of the liabilities' tree.
    public let liabilitiesRoot: Digest
    /// What the accounts were owed.
    public let liabilities: Amount
    /// How many accounts that tree has.
    public let accounts: Int
    /// What each wallet that it changed had earned in all by then: nothing, where all of it went to the owner's next wallet.
    let changes: [WalletLeaf]

    init(_ data: PayoutEpochClosed, changes: [WalletLeaf]) {
        number = data.epoch
        root = data.root
        wallets = data.wallets
        cumulative = data.cumulative
        liabilitiesRoot = data.liabilitiesRoot
        liabilities = data.liabilities
        accounts = data.accounts
        self.changes = changes
    }
}
