public import JSON
public import Money

/// An unbonded stake went back to its owner.
public struct StakeWithdrawn: EventData, Hashable {
    /// `stake.withdrawn`.
    public static let type = "stake.withdrawn"

    /// The unbonding.
    public var id: String
    /// What slashing has left of it.
    public var amount: Amount
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, amount: Amount, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.amount = amount
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "amount", "postings"])
        id = try fields.id("id")
        amount = try fields.amount("amount")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "amount": amount.json, "postings": postings.json,
        ])
    }
}
