public import Crypto
public import JSON

/// A member searched a Datanet's texts and was shown where the words stand: one event for each search, whatever it found.
public struct AccessSearched: EventData, Hashable {
    /// `access.searched`.
    public static let type = "access.searched"

    /// This access.
    public var access: String
    /// The Datanet.
    public var datanet: String
    /// Who searched.
    public var reader: String
    /// By which grant; nil for members.
    public var grant: String?
    /// Commitment to the words: SHA-256 over domain, salt and query. The reader alone was given the salt.
    public var query: Digest
    /// The items that were shown, best first, at most 100.
    public var items: [FoundItem]

    /// From its parts.
    public init(access: String, datanet: String, reader: String, grant: String? = nil, query: Digest, items: [FoundItem]) {
        self.access = access
        self.datanet = datanet
        self.reader = reader
        self.grant = grant
        self.query = query
        self.items = items
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["access", "datanet", "reader", "grant", "query", "items"])
        access = try fields.id("access")
        datanet = try fields.id("datanet")
        reader = try fields.id("reader")
        grant = try fields.optionalID("grant")
        query = try fields.digest("query")
        items = try fields.list("items", atMost: 100) { item throws(JSONFieldError) in try FoundItem(item) }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "access": .string(access),
            "datanet": .string(datanet),
            "reader": .string(reader),
            "grant": grant.map { .string($0) },
            "query": .digest(query),
            "items": .array(items.map(\.json)),
        ])
    }
}

/// An item that a search showed a part of.
public struct FoundItem: EventPart {
    /// Its id.
    public var item: String
    /// The contribution that brought it.
    public var contribution: String
    /// Whose work it is.
    public var owner: String

    /// From its parts.
    public init(item: String, contribution: String, owner: String) {
        self.item = item
        self.contribution = contribution
        self.owner = owner
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["item", "contribution", "owner"])
        item = try fields.id("item")
        contribution = try fields.id("contribution")
        owner = try fields.id("owner")
    }

    /// As it is written.
    public var json: JSONValue {
        ["item": .string(item), "contribution": .string(contribution), "owner": .string(owner)]
    }
}
