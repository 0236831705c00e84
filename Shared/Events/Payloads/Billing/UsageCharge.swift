public import JSON
public import Money

/// Metered usage and the price it was charged at.
public struct UsageCharge: EventPart {
    /// Which price.
    public var price: PriceReference
    /// The calendar month whose tiers it counts in, `2026-11`.
    public var period: String
    /// How much of what.
    public var quantities: [MeterQuantity]
    /// The price of it; the capture is less when the hold did not cover it.
    public var fee: Amount

    /// From its parts.
    public init(
        price: PriceReference, period: String, quantities: [MeterQuantity], fee: Amount
    ) {
        self.price = price
        self.period = period
        self.quantities = quantities
        self.fee = fee
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["price", "period", "quantities", "fee"])
        price = try PriceReference(fields.object("price"))
        period = try fields.id("period")
        quantities = try fields.list("quantities") { entry throws(JSONFieldError) in try MeterQuantity(entry) }
        fee = try fields.amount("fee")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "price": price.json, "period": .string(period), "quantities": .array(quantities.map(\.json)), "fee": fee.json,
        ])
    }
}
