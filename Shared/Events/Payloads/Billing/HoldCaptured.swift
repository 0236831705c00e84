public import JSON
public import Money

/// All or part of a hold was taken.
public struct HoldCaptured: EventData, Hashable {
    /// `hold.captured`.
    public static let type = "hold.captured"

    /// The hold.
    public var id: String
    /// What the money is for; a settlement draws on it under this name.
    public var reference: String
    /// How much was taken.
    public var amount: Amount
    /// How much of the hold became free again; the rest stays reserved.
    public var released: Amount
    /// What was used, when usage made the amount.
    public var usage: UsageCharge?
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, reference: String, amount: Amount, released: Amount, usage: UsageCharge? = nil, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.reference = reference
        self.amount = amount
        self.released = released
        self.usage = usage
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "reference", "amount", "released", "usage", "postings"])
        id = try fields.id("id")
        reference = try fields.id("reference")
        amount = try fields.amount("amount")
        released = try fields.amount("released")
        if let part = try fields.optionalObject("usage") { usage = try UsageCharge(part) } else { usage = nil }
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "amount": amount.json, "id": .string(id), "postings": postings.json, "reference": .string(reference), "released": released.json,
            "usage": usage?.json,
        ])
    }
}
