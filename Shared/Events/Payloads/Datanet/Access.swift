public import JSON
public import Money

/// A principal may read a Datanet, or train on it.
public struct AccessGranted: EventData, Hashable {
    /// `access.granted`.
    public static let type = "access.granted"

    /// The grant.
    public var grant: String
    /// The Datanet.
    public var datanet: String
    /// Who may.
    public var grantee: String
    /// `read`, `train` or `retrieve`.
    public var purpose: String
    /// What it cost.
    public var price: Amount?
    /// Until when, in log time.
    public var expires: Timestamp?

    /// From its parts.
    public init(grant: String, datanet: String, grantee: String, purpose: String, price: Amount? = nil, expires: Timestamp? = nil) {
        self.grant = grant
        self.datanet = datanet
        self.grantee = grantee
        self.purpose = purpose
        self.price = price
        self.expires = expires
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["grant", "datanet", "grantee", "purpose", "price", "expires"])
        grant = try fields.id("grant")
        datanet = try fields.id("datanet")
        grantee = try fields.id("grantee")
        purpose = try fields.id("purpose")
        price = try fields.optionalAmount("price")
        expires = try fields.optionalTimestamp("expires")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "grant": .string(grant), "datanet": .string(datanet), "grantee": .string(grantee), "purpose": .string(purpose),
            "price": price?.json, "expires": expires.map { .string($0.description) },
        ])
    }
}

/// A grant ended before its time.
public struct AccessRevoked: EventData, Hashable {
    /// `access.revoked`.
    public static let type = "access.revoked"

    /// The grant.
    public var grant: String
    /// The Datanet.
    public var datanet: String

    /// From its parts.
    public init(grant: String, datanet: String) {
        self.grant = grant
        self.datanet = datanet
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["grant", "datanet"])
        grant = try fields.id("grant")
        datanet = try fields.id("datanet")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "grant": .string(grant), "datanet": .string(datanet),
        ])
    }
}
