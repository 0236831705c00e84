public import JSON

/// Somebody takes back consent to all that they have contributed so far, everywhere or to one Datanet. A `contribution.withdrawn` follows for
/// each contribution that this means, and it is these that later stages go by.
public struct ContributorWithdrawn: EventData, Hashable {
    /// `contributor.withdrawn`.
    public static let type = "contributor.withdrawn"

    /// Who submitted the contributions, and takes them back.
    public var contributor: String
    /// The only Datanet that is meant; nil for all.
    public var datanet: String?

    /// From its parts.
    public init(contributor: String, datanet: String? = nil) {
        self.contributor = contributor
        self.datanet = datanet
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["contributor", "datanet"])
        contributor = try fields.id("contributor")
        datanet = try fields.optionalID("datanet")
    }

    /// As it is written.
    public var json: JSONValue {
        .members(["contributor": .string(contributor), "datanet": datanet.map { .string($0) }])
    }
}
