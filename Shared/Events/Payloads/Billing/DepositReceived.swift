public import JSON
public import Money

/// Money came in from outside.
public struct DepositReceived: EventData, Hashable {
    /// `deposit.received`.
    public static let type = "deposit.received"

    /// The deposit.
    public var id: String
    /// Who is credited.
    public var account: AccountID
    /// How much.
    public var amount: Amount
    /// The payment rail that brought it.
    public var rail: String
    /// The reference on that rail; each is taken once.
    public var reference: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, account: AccountID, amount: Amount, rail: String, reference: String, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.account = account
        self.amount = amount
        self.rail = rail
        self.reference = reference
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "account", "amount", "rail", "reference", "postings"])
        id = try fields.id("id")
        account = try fields.account("account")
        amount = try fields.amount("amount")
        rail = try fields.id("rail")
        reference = try fields.id("reference")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "account": .string(account.text), "amount": amount.json, "rail": .string(rail),
            "reference": .string(reference), "postings": postings.json,
        ])
    }
}
