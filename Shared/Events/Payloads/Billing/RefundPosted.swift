public import JSON
public import Money

/// Part or all of a settled fee flowed back along the same split.
public struct RefundPosted: EventData, Hashable {
    /// `refund.posted`.
    public static let type = "refund.posted"

    /// Which settlement.
    public var settlement: String
    /// How much.
    public var amount: Amount
    /// A code, never free text.
    public var reason: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        settlement: String, amount: Amount, reason: String, postings: EvidenceList<Posting>
    ) {
        self.settlement = settlement
        self.amount = amount
        self.reason = reason
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["settlement", "amount", "reason", "postings"])
        settlement = try fields.id("settlement")
        amount = try fields.amount("amount")
        reason = try fields.id("reason")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "settlement": .string(settlement), "amount": amount.json, "reason": .string(reason), "postings": postings.json,
        ])
    }
}
