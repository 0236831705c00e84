public import Crypto
public import JSON

/// Consent was taken back: later snapshots, indexes and adapters may not use these items.
public struct ContributionWithdrawn: EventData, Hashable {
    /// `contribution.withdrawn`.
    public static let type = "contribution.withdrawn"

    /// The contribution.
    public var contribution: String
    /// Who took it back: who submitted it, or who claimed the account of the items' author.
    public var contributor: String
    /// The items; none means all.
    public var items: [String]
    /// The author's account whose work in the contribution is taken back with all others', by a `contributor.withdrawn`; nil otherwise.
    public var author: String?

    /// From its parts.
    public init(contribution: String, contributor: String, items: [String], author: String? = nil) {
        self.contribution = contribution
        self.contributor = contributor
        self.items = items
        self.author = author
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["contribution", "contributor", "items", "author"])
        contribution = try fields.id("contribution")
        contributor = try fields.id("contributor")
        items = try fields.ids("items")
        author = try fields.optionalID("author")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "contribution": .string(contribution), "contributor": .string(contributor), "items": .texts(items),
            "author": author.map { .string($0) },
        ])
    }
}

/// Content is unreadable for ever: of a contribution or of items the sealed bytes were removed, of a whole owner the key was destroyed.
/// Commitments and old proofs stay.
public struct ContentErased: EventData, Hashable {
    /// `content.erased`.
    public static let type = "content.erased"

    /// Whose content.
    public var owner: String
    /// The contribution; nil when all of the owner is erased.
    public var contribution: String?
    /// The items; none means all.
    public var items: [String]
    /// SHA-256 of the receipt that the owner got.
    public var receipt: Digest

    /// From its parts.
    public init(owner: String, contribution: String? = nil, items: [String], receipt: Digest) {
        self.owner = owner
        self.contribution = contribution
        self.items = items
        self.receipt = receipt
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "contribution", "items", "receipt"])
        owner = try fields.id("owner")
        contribution = try fields.optionalID("contribution")
        items = try fields.ids("items")
        receipt = try fields.digest("receipt")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "owner": .string(owner), "contribution": contribution.map { .string($0) }, "items": .texts(items), "receipt": .digest(receipt),
        ])
    }
}
