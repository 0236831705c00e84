public import JSON

/// Nobody ruled on a dispute in time: the bond goes back to who put it up, and the settlement stays as it is.
public struct DisputeLapsed: EventData, Hashable {
    /// `dispute.lapsed`.
    public static let type = "dispute.lapsed"

    /// The dispute.
    public var id: String
    /// What was contested.
    public var settlement: String
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(id: String, settlement: String, postings: EvidenceList<Posting>) {
        self.id = id
        self.settlement = settlement
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "settlement", "postings"])
        id = try fields.id("id")
        settlement = try fields.id("settlement")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue { .members(["id": .string(id), "postings": postings.json, "settlement": .string(settlement)]) }
}
