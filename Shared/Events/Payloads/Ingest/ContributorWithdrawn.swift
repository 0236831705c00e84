public import JSON

/// Somebody takes back consent to all that they have contributed so far, everywhere or to one Datanet; or who claimed the account of an author,
/// to all that others have brought of that author. A `contribution.withdrawn` follows for each contribution that this means, and it is these
/// that later stages go by.
public struct ContributorWithdrawn: EventData, Hashable {
    /// `contributor.withdrawn`.
    public static let type = "contributor.withdrawn"

    /// Who submitted the contributions, and takes them back; or the account of the author whose work others brought.
    public var contributor: String
    /// The only Datanet that is meant; nil for all.
    public var datanet: String?
    /// Of an author's account: the contributions that have work of theirs, at most 200; none for who takes back what they submitted
    /// themselves, which the log tells.
    public var contributions: [String]

    /// From its parts.
    public init(contributor: String, datanet: String? = nil, contributions: [String] = []) {
        self.contributor = contributor
        self.datanet = datanet
        self.contributions = contributions
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["contributor", "datanet", "contributions"])
        contributor = try fields.id("contributor")
        datanet = try fields.optionalID("datanet")
        contributions = try fields.ids("contributions")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "contributor": .string(contributor), "datanet": datanet.map { .string($0) },
            "contributions": contributions.isEmpty ? nil : .texts(contributions),
        ])
    }
}
