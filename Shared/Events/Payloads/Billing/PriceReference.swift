public import JSON

/// One version of a model's price.
public struct PriceReference: EventPart {
    /// The model.
    public var model: String
    /// The version, from 1.
    public var version: Int

    /// From its parts.
    public init(
        model: String, version: Int
    ) {
        self.model = model
        self.version = version
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["model", "version"])
        model = try fields.id("model")
        version = try fields.count("version")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "model": .string(model), "version": .count(version),
        ])
    }
}
