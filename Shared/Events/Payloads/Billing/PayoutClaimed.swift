public import JSON
public import Money

/// A wallet was paid by the distributor.
public struct PayoutClaimed: EventData, Hashable {
    /// `payout.claimed`.
    public static let type = "payout.claimed"

    /// In which asset.
    public var asset: Asset
    /// The epoch whose root it was paid by.
    public var epoch: Int
    /// The wallet.
    public var address: String
    /// The cumulative amount of its leaf: what it has been paid in all.
    public var cumulative: Amount
    /// The transaction that paid.
    public var transaction: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        asset: Asset, epoch: Int, address: String, cumulative: Amount, transaction: String, postings: EvidenceList<Posting>
    ) {
        self.asset = asset
        self.epoch = epoch
        self.address = address
        self.cumulative = cumulative
        self.transaction = transaction
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["asset", "epoch", "address", "cumulative", "transaction", "postings"])
        asset = try fields.asset("asset")
        epoch = try fields.count("epoch")
        address = try fields.id("address")
        cumulative = try fields.amount("cumulative")
        transaction = try fields.id("transaction")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "asset": .string(asset.text), "epoch": .count(epoch), "address": .string(address), "cumulative": cumulative.json,
            "transaction": .string(transaction), "postings": postings.json,
        ])
    }
}
