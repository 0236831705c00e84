public import JSON
public import Money

/// A fee that was captured and that nobody settled in time went back to its payer.
public struct HoldReturned: EventData, Hashable {
    /// `hold.returned`.
    public static let type = "hold.returned"

    /// What the fee was captured for.
    public var reference: String
    /// Who paid, and has it again.
    public var payer: AccountID
    /// How much.
    public var amount: Amount
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(reference: String, payer: AccountID, amount: Amount, postings: EvidenceList<Posting>) {
        self.reference = reference
        self.payer = payer
        self.amount = amount
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["reference", "payer", "amount", "postings"])
        reference = try fields.id("reference")
        payer = try fields.account("payer")
        amount = try fields.amount("amount")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "amount": amount.json, "payer": .string(payer.text), "postings": postings.json, "reference": .string(reference),
        ])
    }
}
