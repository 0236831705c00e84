public import JSON
public import Money

/// Content of a Datanet was handed out: one event for each export.
public struct AccessUsed: EventData, Hashable {
    /// `access.used`.
    public static let type = "access.used"

    /// This access.
    public var access: String
    /// The Datanet.
    public var datanet: String
    /// Of which snapshot; nil where a panel reads what it decides on.
    public var snapshot: String?
    /// For which review; nil for a snapshot.
    public var review: String?
    /// To whom.
    public var reader: String
    /// By which grant; nil for the Datanet's own officers, for panels and for services.
    public var grant: String?
    /// `read`, `train` or `retrieve`; `review` for a panel.
    public var purpose: String
    /// How many items.
    public var items: Int
    /// What it costs by its grant; nil for what costs nothing.
    public var price: Amount?
    /// Billing's hold that the price is taken from; with a price.
    public var hold: String?
    /// Whose work is in the snapshot, by tokens, in parts of 10^9: who the price is shared among; with a price.
    public var shares: EvidenceList<AttributionShare>?

    /// From its parts.
    public init(
        access: String, datanet: String, snapshot: String? = nil, review: String? = nil, reader: String, grant: String? = nil,
        purpose: String, items: Int, price: Amount? = nil, hold: String? = nil, shares: EvidenceList<AttributionShare>? = nil
    ) {
        self.access = access
        self.datanet = datanet
        self.snapshot = snapshot
        self.review = review
        self.reader = reader
        self.grant = grant
        self.purpose = purpose
        self.items = items
        self.price = price
        self.hold = hold
        self.shares = shares
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "access", "datanet", "snapshot", "review", "reader", "grant", "purpose", "items", "price", "hold", "shares",
        ])
        access = try fields.id("access")
        datanet = try fields.id("datanet")
        snapshot = try fields.optionalID("snapshot")
        review = try fields.optionalID("review")
        guard (snapshot == nil) != (review == nil) else { throw fields.error("must name either a snapshot or a review") }
        reader = try fields.id("reader")
        grant = try fields.optionalID("grant")
        purpose = try fields.id("purpose")
        items = try fields.count("items")
        price = try fields.optionalAmount("price")
        hold = try fields.optionalID("hold")
        shares = try fields.optionalObject("shares").map { (list) throws(JSONFieldError) in try EvidenceList<AttributionShare>(list) }
        guard (price == nil) == (hold == nil), (price == nil) == (shares == nil), price == nil || snapshot != nil else {
            throw fields.error("must have price, hold and shares, or none of them, and a price is of a snapshot")
        }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "access": .string(access),
            "datanet": .string(datanet),
            "snapshot": snapshot.map { .string($0) },
            "review": review.map { .string($0) },
            "reader": .string(reader),
            "grant": grant.map { .string($0) },
            "purpose": .string(purpose),
            "items": .count(items),
            "price": price?.json,
            "hold": hold.map { .string($0) },
            "shares": shares?.json,
        ])
    }
}
