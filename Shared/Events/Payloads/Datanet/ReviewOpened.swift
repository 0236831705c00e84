public import Crypto
public import JSON

/// A contribution goes before a panel, for the first time or on appeal.
public struct ReviewOpened: EventData, Hashable {
    /// `review.opened`.
    public static let type = "review.opened"

    /// The review.
    public var review: String
    /// The Datanet.
    public var datanet: String
    /// What is reviewed.
    public var contribution: String
    /// 1, or 2 on appeal.
    public var round: Int
    /// The review appealed against; nil when the first decision was automatic, or this is the first.
    public var appeals: String?
    /// Who appealed.
    public var appellant: String?
    /// Commitment to the appeal's written reasons.
    public var reason: Digest?

    /// The validators with the stake bonded as the review is opened, before anybody knows the draw's seed: the panel is drawn among them.
    /// An audit asks for them.
    public var candidates: [String]?

    /// From its parts.
    public init(
        review: String, datanet: String, contribution: String, round: Int, appeals: String? = nil, appellant: String? = nil,
        reason: Digest? = nil, candidates: [String]? = nil
    ) {
        self.review = review
        self.datanet = datanet
        self.contribution = contribution
        self.round = round
        self.appeals = appeals
        self.appellant = appellant
        self.reason = reason
        self.candidates = candidates
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["review", "datanet", "contribution", "round", "appeals", "appellant", "reason", "candidates"])
        review = try fields.id("review")
        datanet = try fields.id("datanet")
        contribution = try fields.id("contribution")
        round = try fields.count("round")
        appeals = try fields.optionalID("appeals")
        appellant = try fields.optionalID("appellant")
        reason = try fields.optionalDigest("reason")
        candidates = fields.optionalField("candidates") != nil ? try fields.ids("candidates") : nil
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "review": .string(review),
            "datanet": .string(datanet),
            "contribution": .string(contribution),
            "round": .count(round),
            "appeals": appeals.map { .string($0) },
            "appellant": appellant.map { .string($0) },
            "reason": reason.map { .digest($0) },
            "candidates": candidates.map { .texts($0) },
        ])
    }
}
