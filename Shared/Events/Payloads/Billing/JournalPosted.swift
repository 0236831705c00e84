public import JSON

/// A journal transaction of its own: a transfer, the charge of a fee without a hold, or the reversal of an earlier one.
public struct JournalPosted: EventData, Hashable {
    /// `account.transferred`.
    public static let type = "account.transferred"

    /// The transaction.
    public var id: String
    /// A code, never free text.
    public var reason: String
    /// What was paid for, when it is a fee that a settlement will draw on.
    public var reference: String?
    /// The transaction that this one reverses.
    public var reverses: String?
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, reason: String, reference: String? = nil, reverses: String? = nil, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.reason = reason
        self.reference = reference
        self.reverses = reverses
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "reason", "reference", "reverses", "postings"])
        id = try fields.id("id")
        reason = try fields.id("reason")
        reference = try fields.optionalID("reference")
        reverses = try fields.optionalID("reverses")
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "postings": postings.json, "reason": .string(reason), "reference": reference.map { .string($0) },
            "reverses": reverses.map { .string($0) },
        ])
    }
}
