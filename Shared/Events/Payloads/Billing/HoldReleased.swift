public import JSON
public import Money

/// What was left of a hold is free again.
public struct HoldReleased: EventData, Hashable {
    /// `hold.released`.
    public static let type = "hold.released"

    /// The hold.
    public var id: String
    /// How much became free.
    public var amount: Amount
    /// Whether log time ended it, not a command.
    public var expired: Bool

    /// From its parts.
    public init(
        id: String, amount: Amount, expired: Bool
    ) {
        self.id = id
        self.amount = amount
        self.expired = expired
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["id", "amount", "expired"])
        id = try fields.id("id")
        amount = try fields.amount("amount")
        expired = try fields.bool("expired")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "id": .string(id), "amount": amount.json, "expired": .bool(expired),
        ])
    }
}
