public import JSON

/// What one meter costs: graduated tiers over a payer's usage within a calendar month (UTC, log time). A free quota is a
/// first tier of price zero.
public struct MeterPrice: EventPart {
    /// What is counted.
    public var meter: String
    /// How many of it one price is for, such as 1,000,000 tokens.
    public var per: Int
    /// In rising order; only the last has no bound.
    public var tiers: [PriceTier]

    /// From its parts.
    public init(
        meter: String, per: Int, tiers: [PriceTier]
    ) {
        self.meter = meter
        self.per = per
        self.tiers = tiers
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["meter", "per", "tiers"])
        meter = try fields.id("meter")
        per = try fields.count("per")
        tiers = try fields.list("tiers") { entry throws(JSONFieldError) in try PriceTier(entry) }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "meter": .string(meter), "per": .count(per), "tiers": .array(tiers.map(\.json)),
        ])
    }
}
