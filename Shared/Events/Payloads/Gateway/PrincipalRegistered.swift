public import JSON

/// A person, organisation or agent is known.
public struct PrincipalRegistered: EventData, Hashable {
    /// `principal.registered`.
    public static let type = "principal.registered"

    /// The principal.
    public var principal: String
    /// `person`, `organisation` or `agent`.
    public var kind: String
    /// did:key of its first key.
    public var key: String
    /// For an agent, whom it belongs to.
    public var owner: String?

    /// From its parts.
    public init(principal: String, kind: String, key: String, owner: String? = nil) {
        self.principal = principal
        self.kind = kind
        self.key = key
        self.owner = owner
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "kind", "key", "owner"])
        principal = try fields.id("principal")
        kind = try fields.id("kind")
        key = try fields.id("key")
        owner = try fields.optionalID("owner")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "principal": .string(principal), "kind": .string(kind), "key": .string(key), "owner": owner.map { .string($0) },
        ])
    }
}

/// A principal's key was added, replaced or removed.
public struct KeyRotated: EventData, Hashable {
    /// `key.rotated`.
    public static let type = "key.rotated"

    /// The principal.
    public var principal: String
    /// did:key, or an account id for a wallet.
    public var added: String?
    /// The key that no longer counts.
    public var removed: String?
    /// The claim that was proven along: `mail`, `domain` or `vouched`.
    public var verified: String?
    /// Whether another did it for a principal who lost its keys.
    public var recovered: Bool?

    /// From its parts.
    public init(
        principal: String, added: String? = nil, removed: String? = nil, verified: String? = nil, recovered: Bool? = nil
    ) {
        self.principal = principal
        self.added = added
        self.removed = removed
        self.verified = verified
        self.recovered = recovered
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "added", "removed", "verified", "recovered"])
        principal = try fields.id("principal")
        added = try fields.optionalID("added")
        removed = try fields.optionalID("removed")
        verified = try fields.optionalID("verified")
        recovered = try fields.optionalBool("recovered")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "principal": .string(principal), "added": added.map { .string($0) }, "removed": removed.map { .string($0) },
            "verified": verified.map { .string($0) }, "recovered": recovered.map { .bool($0) },
        ])
    }
}
