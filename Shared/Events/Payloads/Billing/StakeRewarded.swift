public import JSON
public import Money

/// A reward was split among a pool's bonded stakes.
public struct StakeRewarded: EventData, Hashable {
    /// `stake.rewarded`.
    public static let type = "stake.rewarded"

    /// The pool.
    public var pool: String
    /// Who pays.
    public var source: AccountID
    /// How much.
    public var amount: Amount
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        pool: String, source: AccountID, amount: Amount, postings: EvidenceList<Posting>
    ) {
        self.pool = pool
        self.source = source
        self.amount = amount
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["pool", "source", "amount", "postings"])
        pool = try fields.id("pool")
        source = try fields.account("source")
        amount = try fields.amount("amount")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "pool": .string(pool), "source": .string(source.text), "amount": amount.json, "postings": postings.json,
        ])
    }
}
