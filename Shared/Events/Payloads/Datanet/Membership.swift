public import JSON

/// A principal got a role.
public struct MemberGranted: EventData, Hashable {
    /// `member.granted`.
    public static let type = "member.granted"

    /// The Datanet.
    public var datanet: String
    /// The member.
    public var principal: String
    /// owner, curator, validator, contributor or consumer.
    public var role: String

    /// From its parts.
    public init(datanet: String, principal: String, role: String) {
        self.datanet = datanet
        self.principal = principal
        self.role = role
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "principal", "role"])
        datanet = try fields.id("datanet")
        principal = try fields.id("principal")
        role = try fields.id("role")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "principal": .string(principal), "role": .string(role),
        ])
    }
}

/// A principal lost a role.
public struct MemberRevoked: EventData, Hashable {
    /// `member.revoked`.
    public static let type = "member.revoked"

    /// The Datanet.
    public var datanet: String
    /// The member.
    public var principal: String
    /// Which role.
    public var role: String

    /// From its parts.
    public init(datanet: String, principal: String, role: String) {
        self.datanet = datanet
        self.principal = principal
        self.role = role
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "principal", "role"])
        datanet = try fields.id("datanet")
        principal = try fields.id("principal")
        role = try fields.id("role")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "principal": .string(principal), "role": .string(role),
        ])
    }
}
