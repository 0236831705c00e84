public import Crypto
public import JSON

/// A panel was drawn by lot. Anybody can repeat the draw: its seed is a root of the log that nobody chose.
public struct ReviewDrawn: EventData, Hashable {
    /// `review.drawn`.
    public static let type = "review.drawn"

    /// The review.
    public var review: String
    /// The Datanet.
    public var datanet: String
    /// The tree's size: one more than the position of `review.opened`.
    public var size: Int
    /// RFC 6962 root of the log at that size.
    public var root: Digest
    /// Who could be drawn, in the order of their bytes.
    public var candidates: [String]
    /// Who was, in the order of the draw.
    public var panel: [String]
    /// Votes for one verdict that decide.
    public var quorum: Int
    /// Votes must come before this, in log time.
    public var closes: Timestamp

    /// From its parts.
    public init(
        review: String, datanet: String, size: Int, root: Digest, candidates: [String], panel: [String], quorum: Int, closes: Timestamp
    ) {
        self.review = review
        self.datanet = datanet
        self.size = size
        self.root = root
        self.candidates = candidates
        self.panel = panel
        self.quorum = quorum
        self.closes = closes
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["review", "datanet", "size", "root", "candidates", "panel", "quorum", "closes"])
        review = try fields.id("review")
        datanet = try fields.id("datanet")
        size = try fields.count("size")
        root = try fields.digest("root")
        candidates = try fields.ids("candidates")
        panel = try fields.ids("panel")
        quorum = try fields.count("quorum")
        closes = try fields.timestamp("closes")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "review": .string(review),
            "datanet": .string(datanet),
            "size": .count(size),
            "root": .digest(root),
            "candidates": .texts(candidates),
            "panel": .texts(panel),
            "quorum": .count(quorum),
            "closes": .string(closes.description),
        ])
    }
}
