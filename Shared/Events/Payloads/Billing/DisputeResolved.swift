public import JSON
public import Money

/// A panel ruled on a dispute.
public struct DisputeResolved: EventData, Hashable {
    /// `dispute.resolved`.
    public static let type = "dispute.resolved"

    /// The dispute.
    public var id: String
    /// What was contested.
    public var settlement: String
    /// Whether the contestant was right.
    public var upheld: Bool
    /// How much of the fee flows back to its payer; zero when not upheld.
    public var refund: Amount
    /// The ruling.
    public var ruling: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, settlement: String, upheld: Bool, refund: Amount, ruling: String, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.settlement = settlement
        self.upheld = upheld
        self.refund = refund
        self.ruling = ruling
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "settlement", "upheld", "refund", "ruling", "postings"])
        id = try fields.id("id")
        settlement = try fields.id("settlement")
        upheld = try fields.bool("upheld")
        refund = try fields.amount("refund")
        ruling = try fields.id("ruling")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "settlement": .string(settlement), "upheld": .bool(upheld), "refund": refund.json, "ruling": .string(ruling),
            "postings": postings.json,
        ])
    }
}
