public import JSON

/// Another service's event asked billing for something, and there was nothing to do when its turn came: it is not looked at again. The event is
/// named by the cause.
public struct ReactionClosed: EventData, Hashable {
    /// `account.reaction-closed`.
    public static let type = "account.reaction-closed"

    /// What was asked for: `release`, `ruling`, `refuted` or `task`.
    public var reaction: String

    /// From its parts.
    public init(reaction: String) { self.reaction = reaction }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["reaction"])
        reaction = try fields.id("reaction")
    }

    /// As it is written.
    public var json: JSONValue { .members(["reaction": .string(reaction)]) }
}
