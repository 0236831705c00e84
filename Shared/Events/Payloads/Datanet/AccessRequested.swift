public import Crypto
public import JSON

/// Somebody asks to be let into a Datanet.
public struct AccessRequested: EventData, Hashable {
    /// `access.requested`.
    public static let type = "access.requested"

    /// The request.
    public var request: String
    /// The Datanet.
    public var datanet: String
    /// Who.
    public var requester: String
    /// `read`, `train` or `retrieve`.
    public var purpose: String
    /// Commitment to what they wrote.
    public var reason: Digest?

    /// From its parts.
    public init(request: String, datanet: String, requester: String, purpose: String, reason: Digest? = nil) {
        self.request = request
        self.datanet = datanet
        self.requester = requester
        self.purpose = purpose
        self.reason = reason
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["request", "datanet", "requester", "purpose", "reason"])
        request = try fields.id("request")
        datanet = try fields.id("datanet")
        requester = try fields.id("requester")
        purpose = try fields.id("purpose")
        reason = try fields.optionalDigest("reason")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "request": .string(request),
            "datanet": .string(datanet),
            "requester": .string(requester),
            "purpose": .string(purpose),
            "reason": reason.map { .digest($0) },
        ])
    }
}
