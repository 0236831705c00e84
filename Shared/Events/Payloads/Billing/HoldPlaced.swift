public import JSON
public import Money

/// Part of an account's balance is reserved until it is captured, released, or log time reaches the expiry.
public struct HoldPlaced: EventData, Hashable {
    /// `hold.placed`.
    public static let type = "hold.placed"

    /// The hold.
    public var id: String
    /// Whose balance.
    public var account: AccountID
    /// How much.
    public var amount: Amount
    /// The log time from which the hold is void.
    public var expires: Timestamp
    /// The price that usage under this hold is charged at.
    public var price: PriceReference?
    /// What it was placed for, where whoever asked said so: an authorisation under a mandate.
    public var reference: String?

    /// From its parts.
    public init(
        id: String, account: AccountID, amount: Amount, expires: Timestamp, price: PriceReference? = nil, reference: String? = nil
    ) {
        self.id = id
        self.account = account
        self.amount = amount
        self.expires = expires
        self.price = price
        self.reference = reference
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "account", "amount", "expires", "price", "reference"])
        id = try fields.id("id")
        account = try fields.account("account")
        amount = try fields.amount("amount")
        expires = try fields.timestamp("expires")
        if let part = try fields.optionalObject("price") { price = try PriceReference(part) } else { price = nil }
        reference = try fields.optionalID("reference")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "account": .string(account.text), "amount": amount.json, "expires": .string(expires.description), "id": .string(id),
            "price": price?.json, "reference": reference.map { .string($0) },
        ])
    }
}
