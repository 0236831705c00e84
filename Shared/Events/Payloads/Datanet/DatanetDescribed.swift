public import Crypto
public import JSON

/// A Datanet's public page changed: its name, summary and tags.
public struct DatanetDescribed: EventData, Hashable {
    /// `datanet.described`.
    public static let type = "datanet.described"

    /// The Datanet.
    public var datanet: String
    /// Commitment to the page; the page itself can be erased.
    public var page: Digest

    /// From its parts.
    public init(datanet: String, page: Digest) {
        self.datanet = datanet
        self.page = page
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "page"])
        datanet = try fields.id("datanet")
        page = try fields.digest("page")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet),
            "page": .digest(page),
        ])
    }
}
