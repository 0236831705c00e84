public import JSON

/// A payout reached its destination, or came back.
public struct PayoutFinished: EventData, Hashable {
    /// `payout.finished`.
    public static let type = "payout.finished"

    /// The payout.
    public var id: String
    /// Whether it was paid; otherwise it went back to its account.
    public var paid: Bool
    /// The reference on the rail, or the reason why it came back.
    public var reference: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, paid: Bool, reference: String, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.paid = paid
        self.reference = reference
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "paid", "reference", "postings"])
        id = try fields.id("id")
        paid = try fields.bool("paid")
        reference = try fields.id("reference")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "paid": .bool(paid), "reference": .string(reference), "postings": postings.json,
        ])
    }
}
