public import Crypto
public import JSON

/// A principal chose how long the texts of the answers that it pays for are kept.
public struct PrincipalConfigured: EventData, Hashable {
    /// `principal.configured`.
    public static let type = "principal.configured"

    /// The principal.
    public var principal: String
    /// Days that texts are kept after the day of their answer; nil: until the principal erases them.
    public var retentionDays: Int?

    /// From its parts.
    public init(principal: String, retentionDays: Int?) {
        self.principal = principal
        self.retentionDays = retentionDays
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "retention_days"])
        principal = try fields.id("principal")
        retentionDays = try fields.optionalInt("retention_days", in: 1...3_650)
    }

    /// As it is written.
    public var json: JSONValue {
        .members(["principal": .string(principal), "retention_days": retentionDays.map { .count($0) }])
    }
}

/// A principal erased the texts of all answers that it had paid for, and its files: their keys were destroyed.
public struct PrincipalErased: EventData, Hashable {
    /// `principal.erased`.
    public static let type = "principal.erased"

    /// The principal.
    public var principal: String
    /// Fingerprints of the keys that were destroyed: should a copy of one ever turn up, they tell that it was promised to be gone.
    public var keys: [Digest]

    /// From its parts.
    public init(principal: String, keys: [Digest]) {
        self.principal = principal
        self.keys = keys
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "keys"])
        principal = try fields.id("principal")
        keys = try fields.array("keys", count: 1...10_000).map { field throws(JSONFieldError) in
            guard let digest = Digest(prefixed: try field.string()) else { throw field.error("must be sha256:<64 hex digits>") }
            return digest
        }
    }

    /// As it is written.
    public var json: JSONValue { ["principal": .string(principal), "keys": .array(keys.map { .digest($0) })] }
}
