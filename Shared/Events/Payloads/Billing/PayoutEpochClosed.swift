public import Crypto
public import JSON
public import Money

/// An epoch of payouts to wallets closed: the root that a distributor contract pays by, and what everybody is owed.
public struct PayoutEpochClosed: EventData, Hashable {
    /// `payout.epoch-closed`.
    public static let type = "payout.epoch-closed"

    /// The epoch, from 1, per asset.
    public var epoch: Int
    /// In which asset.
    public var asset: Asset
    /// The StandardMerkleTree root over (address, cumulative amount), `0x` and 64 hexadecimal digits.
    public var root: String
    /// How many leaves it has.
    public var wallets: Int
    /// What all leaves add up to.
    public var cumulative: Amount
    /// The sum-Merkle root over what the accounts are owed.
    public var liabilitiesRoot: Digest
    /// What they add up to.
    public var liabilities: Amount
    /// How many accounts are counted.
    public var accounts: Int
    /// The edition of the rules that it was closed by; the first where it is left out.
    public var edition: Int?
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        epoch: Int, asset: Asset, root: String, wallets: Int, cumulative: Amount, liabilitiesRoot: Digest, liabilities: Amount,
        accounts: Int, edition: Int? = nil, postings: EvidenceList<Posting>
    ) {
        self.epoch = epoch
        self.asset = asset
        self.root = root
        self.wallets = wallets
        self.cumulative = cumulative
        self.liabilitiesRoot = liabilitiesRoot
        self.liabilities = liabilities
        self.accounts = accounts
        self.edition = edition
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "epoch", "asset", "root", "wallets", "cumulative", "liabilities_root", "liabilities", "accounts", "edition", "postings",
        ])
        epoch = try fields.count("epoch")
        asset = try fields.asset("asset")
        root = try fields.id("root")
        wallets = try fields.count("wallets")
        cumulative = try fields.amount("cumulative")
        liabilitiesRoot = try fields.digest("liabilities_root")
        liabilities = try fields.amount("liabilities")
        accounts = try fields.count("accounts")
        edition = try fields.optionalInt("edition", in: 1...1_000)
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "epoch": .count(epoch), "asset": .string(asset.text), "root": .string(root), "wallets": .count(wallets),
            "cumulative": cumulative.json, "liabilities_root": .digest(liabilitiesRoot), "liabilities": liabilities.json,
            "accounts": .count(accounts), "edition": edition.map { .count($0) }, "postings": postings.json,
        ])
    }
}
