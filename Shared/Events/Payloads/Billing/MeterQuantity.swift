public import JSON

/// So much of one thing that is metered.
public struct MeterQuantity: EventPart {
    /// What is counted: `input-tokens`, `output-tokens`, `requests`, `seconds`.
    public var meter: String
    /// How much.
    public var quantity: Int

    /// From its parts.
    public init(
        meter: String, quantity: Int
    ) {
        self.meter = meter
        self.quantity = quantity
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["meter", "quantity"])
        meter = try fields.id("meter")
        quantity = try fields.count("quantity")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "meter": .string(meter), "quantity": .count(quantity),
        ])
    }
}
