public import JSON
public import Money

/// What a model's use costs from now on. Earlier holds keep the version they were placed under.
public struct PricePublished: EventData, Hashable {
    /// `price.published`.
    public static let type = "price.published"

    /// The model.
    public var model: String
    /// The version, from 1, without gaps.
    public var version: Int
    /// In which asset.
    public var asset: Asset
    /// The price of each thing that is metered.
    public var meters: [MeterPrice]

    /// From its parts.
    public init(
        model: String, version: Int, asset: Asset, meters: [MeterPrice]
    ) {
        self.model = model
        self.version = version
        self.asset = asset
        self.meters = meters
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["model", "version", "asset", "meters"])
        model = try fields.id("model")
        version = try fields.count("version")
        asset = try fields.asset("asset")
        meters = try fields.list("meters") { entry throws(JSONFieldError) in try MeterPrice(entry) }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "model": .string(model), "version": .count(version), "asset": .string(asset.text), "meters": .array(meters.map(\.json)),
        ])
    }
}
