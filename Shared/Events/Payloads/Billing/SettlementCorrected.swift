public import JSON

/// A corrected attribution put other shares in the place of those that a settlement was made by: what each account has pending of
/// it changed by the difference.
public struct SettlementCorrected: EventData, Hashable {
    /// `settlement.corrected`.
    public static let type = "settlement.corrected"

    /// The id of the event that corrected the attribution.
    public var id: String
    /// Which settlement.
    public var settlement: String
    /// The position of the event that corrected the attribution.
    public var position: Int
    /// Whether the holdback was over when the correction came: then the money stays where it is, and there are no entries.
    public var late: Bool
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(id: String, settlement: String, position: Int, late: Bool, postings: EvidenceList<Posting>) {
        self.id = id
        self.settlement = settlement
        self.position = position
        self.late = late
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "settlement", "position", "late", "postings"])
        id = try fields.id("id")
        settlement = try fields.id("settlement")
        position = try fields.count("position")
        late = try fields.bool("late")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "settlement": .string(settlement), "position": .count(position), "late": .bool(late),
            "postings": postings.json,
        ])
    }
}
