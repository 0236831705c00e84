public import JSON
public import Money

/// A ruling took part of a stake, from what is bonded first, then from what is being unbonded.
public struct StakeSlashed: EventData, Hashable {
    /// `stake.slashed`.
    public static let type = "stake.slashed"

    /// The pool.
    public var pool: String
    /// Whose stake.
    public var account: AccountID
    /// How much.
    public var amount: Amount
    /// Who gets it.
    public var beneficiary: AccountID
    /// The ruling.
    public var ruling: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        pool: String, account: AccountID, amount: Amount, beneficiary: AccountID, ruling: String, postings: EvidenceList<Posting>
    ) {
        self.pool = pool
        self.account = account
        self.amount = amount
        self.beneficiary = beneficiary
        self.ruling = ruling
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["pool", "account", "amount", "beneficiary", "ruling", "postings"])
        pool = try fields.id("pool")
        account = try fields.account("account")
        amount = try fields.amount("amount")
        beneficiary = try fields.account("beneficiary")
        ruling = try fields.id("ruling")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "pool": .string(pool), "account": .string(account.text), "amount": amount.json, "beneficiary": .string(beneficiary.text),
            "ruling": .string(ruling), "postings": postings.json,
        ])
    }
}
