public import JSON

/// An owner has a proven claim: what waited for it may be paid.
public struct AccountVerified: EventData, Hashable {
    /// `account.verified`.
    public static let type = "account.verified"

    /// The principal.
    public var owner: String
    /// What kind of claim was proven: `mail`, `domain`, or `vouched`.
    public var claim: String

    /// From its parts.
    public init(
        owner: String, claim: String
    ) {
        self.owner = owner
        self.claim = claim
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "claim"])
        owner = try fields.id("owner")
        claim = try fields.id("claim")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "owner": .string(owner), "claim": .string(claim),
        ])
    }
}
