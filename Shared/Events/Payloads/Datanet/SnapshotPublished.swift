public import Crypto
public import JSON

/// An immutable version of a Datanet: a Merkle root over its items in canonical order.
public struct SnapshotPublished: EventData, Hashable {
    /// `snapshot.published`.
    public static let type = "snapshot.published"

    /// The Datanet.
    public var datanet: String
    /// The snapshot.
    public var snapshot: String
    /// From 1 within the Datanet.
    public var number: Int
    /// RFC 6962 root over the items; see the Datanet room for the leaves.
    public var root: Digest
    /// SHA-256 of the Croissant manifest.
    public var manifest: Digest
    /// How many items.
    public var items: Int
    /// Their length together.
    public var tokens: Int
    /// How many owners.
    public var owners: Int
    /// Evidence: canonical JSON array of the items (``AdmittedItem``) in canonical order.
    public var list: Digest
    /// The date in the manifest, so that it can be made again from the list and this event: an audit asks for it.
    public var published: Timestamp?
    /// Whose work it is, by tokens, in parts of 10^9: who gets the contributors' part of what a task gives the Datanet.
    public var shares: EvidenceList<AttributionShare>?

    /// From its parts.
    public init(
        datanet: String, snapshot: String, number: Int, root: Digest, manifest: Digest, items: Int, tokens: Int, owners: Int, list: Digest,
        published: Timestamp? = nil, shares: EvidenceList<AttributionShare>? = nil
    ) {
        self.datanet = datanet
        self.snapshot = snapshot
        self.number = number
        self.root = root
        self.manifest = manifest
        self.items = items
        self.tokens = tokens
        self.owners = owners
        self.list = list
        self.published = published
        self.shares = shares
    }

    /// As models and jobs name it.
    public var reference: SnapshotReference { SnapshotReference(datanet: datanet, snapshot: snapshot, number: number, root: root) }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "datanet", "snapshot", "number", "root", "manifest", "items", "tokens", "owners", "list", "published", "shares",
        ])
        datanet = try fields.id("datanet")
        snapshot = try fields.id("snapshot")
        number = try fields.count("number")
        root = try fields.digest("root")
        manifest = try fields.digest("manifest")
        items = try fields.count("items")
        tokens = try fields.count("tokens")
        owners = try fields.count("owners")
        list = try fields.digest("list")
        published = try fields.optionalTimestamp("published")
        shares = try fields.optionalObject("shares").map { (list) throws(JSONFieldError) in try EvidenceList<AttributionShare>(list) }
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "snapshot": .string(snapshot), "number": .count(number), "root": .digest(root),
            "manifest": .digest(manifest), "items": .count(items), "tokens": .count(tokens), "owners": .count(owners),
            "list": .digest(list), "published": published.map { .string($0.description) }, "shares": shares?.json,
        ])
    }
}

/// One snapshot, as models and jobs name it.
public struct SnapshotReference: EventPart {
    /// The Datanet.
    public var datanet: String
    /// The snapshot.
    public var snapshot: String
    /// Its number.
    public var number: Int
    /// Its root.
    public var root: Digest

    /// From its parts.
    public init(datanet: String, snapshot: String, number: Int, root: Digest) {
        self.datanet = datanet
        self.snapshot = snapshot
        self.number = number
        self.root = root
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "snapshot", "number", "root"])
        datanet = try fields.id("datanet")
        snapshot = try fields.id("snapshot")
        number = try fields.count("number")
        root = try fields.digest("root")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "snapshot": .string(snapshot), "number": .count(number), "root": .digest(root),
        ])
    }
}

extension SnapshotReference {
    /// Names a published snapshot.
    public init(_ published: SnapshotPublished) {
        self.init(datanet: published.datanet, snapshot: published.snapshot, number: published.number, root: published.root)
    }
}
