public import Crypto
public import JSON

/// A contribution went through the public screening rules; every item has its verdict.
public struct ContributionScreened: EventData, Hashable {
    /// `contribution.screened`.
    public static let type = "contribution.screened"

    /// The contribution.
    public var contribution: String
    /// Where it is meant to go.
    public var datanet: String
    /// Who submitted it.
    public var contributor: String
    /// The version of the rules, such as `screening/5`.
    public var rules: String
    /// Items that passed.
    public var accepted: Int
    /// Items that did not.
    public var rejected: Int
    /// Each item in the order of the upload.
    public var items: EvidenceList<ScreenedItem>

    /// From its parts.
    public init(
        contribution: String, datanet: String, contributor: String, rules: String, accepted: Int, rejected: Int,
        items: EvidenceList<ScreenedItem>
    ) {
        self.contribution = contribution
        self.datanet = datanet
        self.contributor = contributor
        self.rules = rules
        self.accepted = accepted
        self.rejected = rejected
        self.items = items
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["contribution", "datanet", "contributor", "rules", "accepted", "rejected", "items"])
        contribution = try fields.id("contribution")
        datanet = try fields.id("datanet")
        contributor = try fields.id("contributor")
        rules = try fields.id("rules")
        accepted = try fields.count("accepted")
        rejected = try fields.count("rejected")
        items = try EvidenceList(fields.object("items"))
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "contribution": .string(contribution), "datanet": .string(datanet), "contributor": .string(contributor),
            "rules": .string(rules), "accepted": .count(accepted), "rejected": .count(rejected), "items": items.json,
        ])
    }
}

/// One item, as screening saw it.
public struct ScreenedItem: EventPart {
    /// The item.
    public var item: String
    /// SHA-256(domain ‖ salt ‖ content).
    public var commitment: Digest
    /// The principal whose work it is: the contributor, or the named author.
    public var owner: String
    /// SPDX expression.
    public var licence: String
    /// BCP 47, `und` when unknown.
    public var language: String
    /// Words and punctuation marks, as the rules count them.
    public var tokens: Int
    /// Bytes of content.
    public var bytes: Int
    /// 0 to 1,000.
    public var quality: Int
    /// `accepted` or `rejected`.
    public var verdict: String
    /// Codes of the rules that spoke.
    public var reasons: [String]
    /// The head of its near-duplicates: the earliest item; itself when it has none.
    public var cluster: String
    /// The refused item of which it is a new version.
    public var supersedes: String?
    /// The file of the manifest that it came in, from 0. Early events did not say.
    public var file: Int?
    /// Its row, or passage, in that file, from 1; 0 for the file as a whole.
    public var row: Int?

    /// From its parts.
    public init(
        item: String, commitment: Digest, owner: String, licence: String, language: String, tokens: Int, bytes: Int, quality: Int,
        verdict: String, reasons: [String], cluster: String, supersedes: String? = nil, file: Int? = nil, row: Int? = nil
    ) {
        self.item = item
        self.commitment = commitment
        self.owner = owner
        self.licence = licence
        self.language = language
        self.tokens = tokens
        self.bytes = bytes
        self.quality = quality
        self.verdict = verdict
        self.reasons = reasons
        self.cluster = cluster
        self.supersedes = supersedes
        self.file = file
        self.row = row
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "item", "commitment", "owner", "licence", "language", "tokens", "bytes", "quality", "verdict", "reasons", "cluster",
            "supersedes", "file", "row",
        ])
        item = try fields.id("item")
        commitment = try fields.digest("commitment")
        owner = try fields.id("owner")
        licence = try fields.id("licence")
        language = try fields.id("language")
        tokens = try fields.count("tokens")
        bytes = try fields.count("bytes")
        quality = try fields.count("quality")
        verdict = try fields.id("verdict")
        reasons = try fields.ids("reasons")
        cluster = try fields.id("cluster")
        supersedes = try fields.optionalID("supersedes")
        file = try fields.optionalInt("file", in: 0...Int.max)
        row = try fields.optionalInt("row", in: 0...Int.max)
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "item": .string(item), "commitment": .digest(commitment), "owner": .string(owner), "licence": .string(licence),
            "language": .string(language), "tokens": .count(tokens), "bytes": .count(bytes), "quality": .count(quality),
            "verdict": .string(verdict), "reasons": .texts(reasons), "cluster": .string(cluster),
            "supersedes": supersedes.map { .string($0) }, "file": file.map { .count($0) }, "row": row.map { .count($0) },
        ])
    }
}
