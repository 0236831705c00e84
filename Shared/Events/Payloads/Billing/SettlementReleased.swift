public import JSON

/// Holdback is over: what was pending is available. Shares of unverified owners go on waiting.
public struct SettlementReleased: EventData, Hashable {
    /// `settlement.released`.
    public static let type = "settlement.released"

    /// Which settlements.
    public var settlements: [String]
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        settlements: [String], postings: EvidenceList<Posting>
    ) {
        self.settlements = settlements
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["settlements", "postings"])
        settlements = try fields.ids("settlements")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "settlements": .texts(settlements), "postings": postings.json,
        ])
    }
}
