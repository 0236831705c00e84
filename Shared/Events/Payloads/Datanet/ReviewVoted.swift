public import Crypto
public import JSON

/// A member of the panel voted.
public struct ReviewVoted: EventData, Hashable {
    /// `review.voted`.
    public static let type = "review.voted"

    /// The review.
    public var review: String
    /// The Datanet.
    public var datanet: String
    /// Who.
    public var voter: String
    /// Whether the contribution should be admitted.
    public var admit: Bool
    /// Commitment to the written reasons.
    public var reason: Digest

    /// From its parts.
    public init(review: String, datanet: String, voter: String, admit: Bool, reason: Digest) {
        self.review = review
        self.datanet = datanet
        self.voter = voter
        self.admit = admit
        self.reason = reason
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["review", "datanet", "voter", "admit", "reason"])
        review = try fields.id("review")
        datanet = try fields.id("datanet")
        voter = try fields.id("voter")
        admit = try fields.bool("admit")
        reason = try fields.digest("reason")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "review": .string(review),
            "datanet": .string(datanet),
            "voter": .string(voter),
            "admit": .bool(admit),
            "reason": .digest(reason),
        ])
    }
}
