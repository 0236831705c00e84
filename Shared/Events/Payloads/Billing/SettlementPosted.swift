public import JSON
public import Money

/// A captured fee was shared out. All that the shares were computed from stands at earlier positions, so anyone can
/// compute them again.
public struct SettlementPosted: EventData, Hashable {
    /// `settlement.posted`.
    public static let type = "settlement.posted"

    /// The settlement: the id of the event that it settles.
    public var id: String
    /// `inference`, `training`, `access` or `task`.
    public var kind: String
    /// What the fee was captured for.
    public var reference: String
    /// Who paid, and gets refunds.
    public var payer: AccountID
    /// How much was shared out.
    public var fee: Amount
    /// The position of the event that it settles.
    public var position: Int
    /// The log time from which it can no longer be disputed.
    public var releaseAt: Timestamp
    /// The edition of the rules that it was made by; the first where it is left out.
    public var edition: Int?
    /// The entries; they add up to zero for each asset.
    public var postings: EvidenceList<Posting>

    /// From its parts.
    public init(
        id: String, kind: String, reference: String, payer: AccountID, fee: Amount, position: Int, releaseAt: Timestamp,
        edition: Int? = nil, postings: EvidenceList<Posting>
    ) {
        self.id = id
        self.kind = kind
        self.reference = reference
        self.payer = payer
        self.fee = fee
        self.position = position
        self.releaseAt = releaseAt
        self.edition = edition
        self.postings = postings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "kind", "reference", "payer", "fee", "position", "release_at", "edition", "postings"])
        id = try fields.id("id")
        kind = try fields.id("kind")
        reference = try fields.id("reference")
        payer = try fields.account("payer")
        fee = try fields.amount("fee")
        position = try fields.count("position")
        releaseAt = try fields.timestamp("release_at")
        edition = try fields.optionalInt("edition", in: 1...1_000)
        postings = try EvidenceList<Posting>(fields.object("postings"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "edition": edition.map { .count($0) }, "fee": fee.json, "id": .string(id), "kind": .string(kind), "payer": .string(payer.text),
            "position": .count(position),
            "postings": postings.json, "reference": .string(reference), "release_at": .string(releaseAt.description),
        ])
    }
}
