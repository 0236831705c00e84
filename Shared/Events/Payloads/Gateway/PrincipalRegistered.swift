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
    /// By the key, over what registers it (`ProofMessages` of the gateway), base64url. An audit takes no key without it.
    public var signature: String?
    /// For an agent, a key of its owner's, and that one's signature over the same.
    public var ownerKey, ownerSignature: String?

    /// From its parts.
    public init(
        principal: String, kind: String, key: String, owner: String? = nil, signature: String? = nil, ownerKey: String? = nil,
        ownerSignature: String? = nil
    ) {
        self.principal = principal
        self.kind = kind
        self.key = key
        self.owner = owner
        self.signature = signature
        self.ownerKey = ownerKey
        self.ownerSignature = ownerSignature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "kind", "key", "owner", "signature", "owner_key", "owner_signature"])
        principal = try fields.id("principal")
        kind = try fields.id("kind")
        key = try fields.id("key")
        owner = try fields.optionalID("owner")
        signature = try fields.optionalID("signature")
        ownerKey = try fields.optionalID("owner_key")
        ownerSignature = try fields.optionalID("owner_signature")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "principal": .string(principal), "kind": .string(kind), "key": .string(key), "owner": owner.map { .string($0) },
            "signature": signature.map { .string($0) }, "owner_key": ownerKey.map { .string($0) },
            "owner_signature": ownerSignature.map { .string($0) },
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
    /// By the added key, over what links it or recovers with it (`ProofMessages` of the gateway), base64url. An audit takes no key without it.
    public var signature: String?

    /// From its parts.
    public init(
        principal: String, added: String? = nil, removed: String? = nil, verified: String? = nil, recovered: Bool? = nil,
        signature: String? = nil
    ) {
        self.principal = principal
        self.added = added
        self.removed = removed
        self.verified = verified
        self.recovered = recovered
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "added", "removed", "verified", "recovered", "signature"])
        principal = try fields.id("principal")
        added = try fields.optionalID("added")
        removed = try fields.optionalID("removed")
        verified = try fields.optionalID("verified")
        recovered = try fields.optionalBool("recovered")
        signature = try fields.optionalID("signature")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "principal": .string(principal), "added": added.map { .string($0) }, "removed": removed.map { .string($0) },
            "verified": verified.map { .string($0) }, "recovered": recovered.map { .bool($0) },
            "signature": signature.map { .string($0) },
        ])
    }
}
