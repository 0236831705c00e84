public import JSON
public import Money

/// Money was staked in a pool.
public struct StakeBonded: EventData, Hashable {
    /// `stake.bonded`.
    public static let type = "stake.bonded"

    /// The pool: what the stake vouches for.
    public var pool: String
    /// Whose money.
    public var account: AccountID
    /// How much.
    public var amount: Amount
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        pool: String, account: AccountID, amount: Amount, postings: EvidenceList<Posting>
    ) {
        self.pool = pool
        self.account = account
        self.amount = amount
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["pool", "account", "amount", "postings"])
        pool = try fields.id("pool")
        account = try fields.account("account")
        amount = try fields.amount("amount")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "pool": .string(pool), "account": .string(account.text), "amount": amount.json, "postings": postings.json,
        ])
    }
}
