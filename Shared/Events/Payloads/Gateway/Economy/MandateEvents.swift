public import JSON

/// Somebody lets an agent spend, within limits.
public struct MandateGranted: EventData, Hashable {
    /// `mandate.granted`.
    public static let type = "mandate.granted"

    /// The mandate.
    public var mandate: String
    /// The tree's first mandate; itself for that one.
    public var root: String
    /// The mandate that it is carved from.
    public var parent: String?
    /// Who granted it.
    public var grantor: String
    /// Who may spend.
    public var agent: String
    /// Whose money.
    public var payer: String
    /// The limits.
    public var terms: MandateTerms

    /// From its parts.
    public init(
        mandate: String, root: String, parent: String? = nil, grantor: String, agent: String, payer: String, terms: MandateTerms
    ) {
        self.mandate = mandate
        self.root = root
        self.parent = parent
        self.grantor = grantor
        self.agent = agent
        self.payer = payer
        self.terms = terms
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["mandate", "root", "parent", "grantor", "agent", "payer", "terms"])
        mandate = try fields.id("mandate")
        root = try fields.id("root")
        parent = try fields.optionalID("parent")
        grantor = try fields.id("grantor")
        agent = try fields.id("agent")
        payer = try fields.id("payer")
        terms = try MandateTerms(fields.object("terms"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "mandate": .string(mandate), "root": .string(root), "parent": parent.map { .string($0) }, "grantor": .string(grantor),
            "agent": .string(agent), "payer": .string(payer), "terms": terms.json,
        ])
    }
}

/// A mandate and all below it end. What they had authorised is free, but for answers under way (they are cut, and paid for what was heard), for payments whose outcome is being found out (not those that wait
/// for what they buy: they fail), and for tasks: those that were delivered wait for their judgement, and all do whose mandate ran out; the others take no more work and end at once.
public struct MandateRevoked: EventData, Hashable {
    /// `mandate.revoked`.
    public static let type = "mandate.revoked"

    /// The mandate.
    public var mandate: String
    /// Its tree.
    public var root: String
    /// `revoked` or `expired`.
    public var reason: String
    /// Authorisations that go on, in earlier events; it follows from the tasks.
    public var kept: [String]?

    /// From its parts.
    public init(
        mandate: String, root: String, reason: String, kept: [String]? = nil
    ) {
        self.mandate = mandate
        self.root = root
        self.reason = reason
        self.kept = kept
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["mandate", "root", "reason", "kept"])
        kept = fields.optionalField("kept") == nil ? nil : try fields.ids("kept")
        mandate = try fields.id("mandate")
        root = try fields.id("root")
        reason = try fields.id("reason")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "mandate": .string(mandate), "root": .string(root), "reason": .string(reason),
            "kept": kept.map { .texts($0) },
        ])
    }
}
