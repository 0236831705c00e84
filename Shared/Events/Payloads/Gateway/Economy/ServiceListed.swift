public import Crypto
public import JSON
public import Money

/// An agent offers something, or changes what it offers.
public struct ServiceListed: EventData, Hashable {
    /// `service.listed`.
    public static let type = "service.listed"

    /// The service.
    public var service: String
    /// Who offers it.
    public var provider: String
    /// Commitment to its page: name, description, schemas, tags and address. The page itself can be erased.
    public var page: Digest
    /// What one call or task costs.
    public var price: Amount
    /// Within which time it answers.
    public var seconds: Int
    /// From 1, by one with every change.
    public var version: Int

    /// From its parts.
    public init(
        service: String, provider: String, page: Digest, price: Amount, seconds: Int, version: Int
    ) {
        self.service = service
        self.provider = provider
        self.page = page
        self.price = price
        self.seconds = seconds
        self.version = version
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["service", "provider", "page", "price", "seconds", "version"])
        service = try fields.id("service")
        provider = try fields.id("provider")
        page = try fields.digest("page")
        price = try fields.amount("price")
        seconds = try fields.count("seconds")
        version = try fields.count("version")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "service": .string(service), "provider": .string(provider), "page": .digest(page), "price": price.json,
            "seconds": .count(seconds), "version": .count(version),
        ])
    }
}

/// A service is offered no more.
public struct ServiceWithdrawn: EventData, Hashable {
    /// `service.withdrawn`.
    public static let type = "service.withdrawn"

    /// The service.
    public var service: String
    /// Who offered it.
    public var provider: String

    /// From its parts.
    public init(
        service: String, provider: String
    ) {
        self.service = service
        self.provider = provider
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["service", "provider"])
        service = try fields.id("service")
        provider = try fields.id("provider")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "service": .string(service), "provider": .string(provider),
        ])
    }
}
