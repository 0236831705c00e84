public import Crypto
public import JSON

/// A principal got an API key. The key itself is shown once and kept nowhere; its hash says nothing about it, for it has 256
/// random bits.
public struct KeyIssued: EventData, Hashable {
    /// `key.issued`.
    public static let type = "key.issued"

    /// The key's id.
    public var key: String
    /// Whose it is.
    public var principal: String
    /// SHA-256 of the key.
    public var hash: Digest
    /// What it allows.
    public var scopes: [String]
    /// Until when.
    public var expires: Timestamp?
    /// What it may use up.
    public var limits: KeyLimits?

    /// From its parts.
    public init(
        key: String, principal: String, hash: Digest, scopes: [String], expires: Timestamp? = nil, limits: KeyLimits? = nil
    ) {
        self.key = key
        self.principal = principal
        self.hash = hash
        self.scopes = scopes
        self.expires = expires
        self.limits = limits
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["key", "principal", "hash", "scopes", "expires", "limits"])
        key = try fields.id("key")
        principal = try fields.id("principal")
        hash = try fields.digest("hash")
        scopes = try fields.ids("scopes")
        expires = try fields.optionalTimestamp("expires")
        limits = try fields.optionalObject("limits").map { (fields) throws(JSONFieldError) in try KeyLimits(fields) }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "key": .string(key), "principal": .string(principal), "hash": .digest(hash), "scopes": .texts(scopes),
            "expires": expires.map { .string($0.description) }, "limits": limits?.json,
        ])
    }
}

/// An API key ended.
public struct KeyRevoked: EventData, Hashable {
    /// `key.revoked`.
    public static let type = "key.revoked"

    /// The key's id.
    public var key: String
    /// Whose it was.
    public var principal: String

    /// From its parts.
    public init(key: String, principal: String) {
        self.key = key
        self.principal = principal
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["key", "principal"])
        key = try fields.id("key")
        principal = try fields.id("principal")
    }

    /// As it is written.
    public var json: JSONValue { ["key": .string(key), "principal": .string(principal)] }
}
