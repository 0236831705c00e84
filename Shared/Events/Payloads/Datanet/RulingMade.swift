public import Crypto
public import JSON

/// A panel decided an appeal or a dispute; billing and others act on it.
public struct RulingMade: EventData, Hashable {
    /// `ruling.made`.
    public static let type = "ruling.made"

    /// The ruling.
    public var ruling: String
    /// `review`, `dispute` or `task`.
    public var about: String
    /// What was decided upon.
    public var subject: String
    /// Whether who complained was right.
    public var upheld: Bool
    /// Stakes that are lost by it.
    public var penalties: [Penalty]
    /// Commitment to the written reasons.
    public var reason: Digest?
    /// The pool that the stakes are bonded in: the Datanet's id. Nil when no stake is lost.
    public var pool: String?

    /// From its parts.
    public init(
        ruling: String, about: String, subject: String, upheld: Bool, penalties: [Penalty], reason: Digest? = nil, pool: String? = nil
    ) {
        self.ruling = ruling
        self.about = about
        self.subject = subject
        self.upheld = upheld
        self.penalties = penalties
        self.reason = reason
        self.pool = pool
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["ruling", "about", "subject", "upheld", "penalties", "reason", "pool"])
        ruling = try fields.id("ruling")
        about = try fields.id("about")
        subject = try fields.id("subject")
        upheld = try fields.bool("upheld")
        penalties = try fields.list("penalties") { entry throws(JSONFieldError) in try Penalty(entry) }
        reason = try fields.optionalDigest("reason")
        pool = try fields.optionalID("pool")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "ruling": .string(ruling), "about": .string(about), "subject": .string(subject), "upheld": .bool(upheld),
            "penalties": .array(penalties.map(\.json)), "reason": reason.map { .digest($0) }, "pool": pool.map { .string($0) },
        ])
    }
}

/// What somebody loses by a ruling.
public struct Penalty: EventPart {
    /// Who.
    public var principal: String
    /// Basis points of the bonded stake.
    public var points: Int

    /// From its parts.
    public init(principal: String, points: Int) {
        self.principal = principal
        self.points = points
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "points"])
        principal = try fields.id("principal")
        points = try fields.count("points")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "principal": .string(principal), "points": .count(points),
        ])
    }
}
