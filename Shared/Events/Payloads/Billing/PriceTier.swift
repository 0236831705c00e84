public import JSON

/// One tier of a price.
public struct PriceTier: EventPart {
    /// The usage up to which, inclusive, the tier goes; nil for the last.
    public var upTo: Int?
    /// Minor units for `per` of the meter.
    public var units: Int

    /// From its parts.
    public init(
        upTo: Int? = nil, units: Int
    ) {
        self.upTo = upTo
        self.units = units
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["up_to", "units"])
        upTo = try fields.optionalInt("up_to", in: 0...(1 << 53) - 1)
        units = try fields.count("units")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "up_to": upTo.map { .count($0) }, "units": .count(units),
        ])
    }
}
