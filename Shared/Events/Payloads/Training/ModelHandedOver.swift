public import JSON

/// A model has a new owner. The version that is published with it earns for that owner; the ones before are retired.
public struct ModelHandedOver: EventData, Hashable {
    /// `model.handed-over`.
    public static let type = "model.handed-over"

    /// Its name, which stays.
    public var model: String
    /// Who owned it.
    public var from: String
    /// Who owns it.
    public var to: String
    /// The first version of the new owner's.
    public var version: Int

    /// From its parts.
    public init(model: String, from: String, to: String, version: Int) {
        self.model = model
        self.from = from
        self.to = to
        self.version = version
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["model", "from", "to", "version"])
        model = try fields.id("model")
        from = try fields.id("from")
        to = try fields.id("to")
        version = try fields.count("version")
    }

    /// As it is written.
    public var json: JSONValue {
        .members(["model": .string(model), "from": .string(from), "to": .string(to), "version": .count(version)])
    }
}
