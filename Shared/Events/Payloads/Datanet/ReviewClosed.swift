public import JSON

/// A review came to its end.
public struct ReviewClosed: EventData, Hashable {
    /// `review.closed`.
    public static let type = "review.closed"

    /// The review.
    public var review: String
    /// The Datanet.
    public var datanet: String
    /// `admitted`, `refused`, `undecided` without quorum, or `unstaffed` without a panel.
    public var outcome: String
    /// Votes to admit.
    public var admit: Int
    /// Votes to refuse.
    public var refuse: Int

    /// From its parts.
    public init(review: String, datanet: String, outcome: String, admit: Int, refuse: Int) {
        self.review = review
        self.datanet = datanet
        self.outcome = outcome
        self.admit = admit
        self.refuse = refuse
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["review", "datanet", "outcome", "admit", "refuse"])
        review = try fields.id("review")
        datanet = try fields.id("datanet")
        outcome = try fields.id("outcome")
        admit = try fields.count("admit")
        refuse = try fields.count("refuse")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "review": .string(review),
            "datanet": .string(datanet),
            "outcome": .string(outcome),
            "admit": .count(admit),
            "refuse": .count(refuse),
        ])
    }
}
