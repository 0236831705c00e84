public import Crypto
public import JSON

/// Items became part of a Datanet.
public struct AdmissionGranted: EventData, Hashable {
    /// `admission.granted`.
    public static let type = "admission.granted"

    /// The Datanet.
    public var datanet: String
    /// Where they come from.
    public var contribution: String
    /// The items.
    public var items: EvidenceList<AdmittedItem>

    /// From its parts.
    public init(datanet: String, contribution: String, items: EvidenceList<AdmittedItem>) {
        self.datanet = datanet
        self.contribution = contribution
        self.items = items
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "contribution", "items"])
        datanet = try fields.id("datanet")
        contribution = try fields.id("contribution")
        items = try EvidenceList(fields.object("items"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "contribution": .string(contribution), "items": items.json,
        ])
    }
}

/// A contribution, or items of it, did not become part of a Datanet.
public struct AdmissionRefused: EventData, Hashable {
    /// `admission.refused`.
    public static let type = "admission.refused"

    /// The Datanet.
    public var datanet: String
    /// Where they come from.
    public var contribution: String
    /// The items; none means all.
    public var items: [String]
    /// A code.
    public var reason: String

    /// From its parts.
    public init(datanet: String, contribution: String, items: [String], reason: String) {
        self.datanet = datanet
        self.contribution = contribution
        self.items = items
        self.reason = reason
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "contribution", "items", "reason"])
        datanet = try fields.id("datanet")
        contribution = try fields.id("contribution")
        items = try fields.ids("items")
        reason = try fields.id("reason")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "contribution": .string(contribution), "items": .texts(items), "reason": .string(reason),
        ])
    }
}

/// An item of a Datanet, as snapshots, indexes and splits see it.
public struct AdmittedItem: EventPart {
    /// The item.
    public var item: String
    /// Where it comes from.
    public var contribution: String
    /// Whose work it is.
    public var owner: String
    /// To its content.
    public var commitment: Digest
    /// Its length.
    public var tokens: Int
    /// SPDX expression.
    public var licence: String
    /// BCP 47.
    public var language: String
    /// The head of its near-duplicates.
    public var cluster: String

    /// From its parts.
    public init(
        item: String, contribution: String, owner: String, commitment: Digest, tokens: Int, licence: String, language: String,
        cluster: String
    ) {
        self.item = item
        self.contribution = contribution
        self.owner = owner
        self.commitment = commitment
        self.tokens = tokens
        self.licence = licence
        self.language = language
        self.cluster = cluster
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["item", "contribution", "owner", "commitment", "tokens", "licence", "language", "cluster"])
        item = try fields.id("item")
        contribution = try fields.id("contribution")
        owner = try fields.id("owner")
        commitment = try fields.digest("commitment")
        tokens = try fields.count("tokens")
        licence = try fields.id("licence")
        language = try fields.id("language")
        cluster = try fields.id("cluster")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "item": .string(item), "contribution": .string(contribution), "owner": .string(owner), "commitment": .digest(commitment),
            "tokens": .count(tokens), "licence": .string(licence), "language": .string(language), "cluster": .string(cluster),
        ])
    }
}
