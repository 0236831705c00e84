public import Crypto
public import JSON

/// Somebody who knows the right verdict on a contribution to come bound themselves to it, unseen by the panel.
public struct ReviewTrapCommitted: EventData, Hashable {
    /// `review.trap-committed`.
    public static let type = "review.trap-committed"

    /// The trap.
    public var trap: String
    /// The Datanet.
    public var datanet: String
    /// SHA-256 of `openledger/trap` LF contribution LF `admit` or `refuse` LF salt.
    public var commitment: Digest
    /// A keyed hash of the contribution, by the service's own key: the same for every trap on it. Early events had none.
    public var tag: Digest?

    /// From its parts.
    public init(trap: String, datanet: String, commitment: Digest, tag: Digest? = nil) {
        self.trap = trap
        self.datanet = datanet
        self.commitment = commitment
        self.tag = tag
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["trap", "datanet", "commitment", "tag"])
        trap = try fields.id("trap")
        datanet = try fields.id("datanet")
        commitment = try fields.digest("commitment")
        tag = try fields.optionalDigest("tag")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "trap": .string(trap),
            "datanet": .string(datanet),
            "commitment": .digest(commitment),
            "tag": tag.map { .digest($0) },
        ])
    }
}

/// A trap was opened after its review: it measures who voted.
public struct ReviewTrapRevealed: EventData, Hashable {
    /// `review.trap-revealed`.
    public static let type = "review.trap-revealed"

    /// The trap.
    public var trap: String
    /// The Datanet.
    public var datanet: String
    /// The contribution.
    public var contribution: String
    /// The review that it measures.
    public var review: String
    /// The right verdict.
    public var admit: Bool
    /// What the commitment was salted with.
    public var salt: String

    /// From its parts.
    public init(trap: String, datanet: String, contribution: String, review: String, admit: Bool, salt: String) {
        self.trap = trap
        self.datanet = datanet
        self.contribution = contribution
        self.review = review
        self.admit = admit
        self.salt = salt
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["trap", "datanet", "contribution", "review", "admit", "salt"])
        trap = try fields.id("trap")
        datanet = try fields.id("datanet")
        contribution = try fields.id("contribution")
        review = try fields.id("review")
        admit = try fields.bool("admit")
        salt = try fields.id("salt")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "trap": .string(trap),
            "datanet": .string(datanet),
            "contribution": .string(contribution),
            "review": .string(review),
            "admit": .bool(admit),
            "salt": .string(salt),
        ])
    }
}
