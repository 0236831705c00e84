public import Crypto
public import JSON

/// A snapshot can be searched for spans.
public struct IndexBuilt: EventData, Hashable {
    /// `index.built`.
    public static let type = "index.built"

    /// The index.
    public var index: String
    /// The Datanet.
    public var datanet: String
    /// The snapshot.
    public var snapshot: String
    /// The snapshot's root.
    public var root: Digest
    /// SHA-256 of the index's manifest.
    public var manifest: Digest
    /// Items in it.
    public var items: Int
    /// Bytes of text in it.
    public var bytes: Int
    /// Evidence: canonical JSON array of ``IndexedItem``, in the order of the snapshot's list. An audit asks for it.
    public var measures: Digest?

    /// From its parts.
    public init(
        index: String, datanet: String, snapshot: String, root: Digest, manifest: Digest, items: Int, bytes: Int, measures: Digest? = nil
    ) {
        self.index = index
        self.datanet = datanet
        self.snapshot = snapshot
        self.root = root
        self.manifest = manifest
        self.items = items
        self.bytes = bytes
        self.measures = measures
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["index", "datanet", "snapshot", "root", "manifest", "items", "bytes", "measures"])
        index = try fields.id("index")
        datanet = try fields.id("datanet")
        snapshot = try fields.id("snapshot")
        root = try fields.digest("root")
        manifest = try fields.digest("manifest")
        items = try fields.count("items")
        bytes = try fields.count("bytes")
        measures = try fields.optionalDigest("measures")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "index": .string(index), "datanet": .string(datanet), "snapshot": .string(snapshot), "root": .digest(root),
            "manifest": .digest(manifest), "items": .count(items), "bytes": .count(bytes),
            "measures": measures.map { .digest($0) },
        ])
    }
}

/// What indexing found of an item: how long it is, and how much of it is new. No content.
public struct IndexedItem: EventPart {
    /// The item.
    public var item: String
    /// Its length in words; 0 where its content had been taken back.
    public var words: Int
    /// Its words that no earlier item of the snapshot had in the same run.
    public var unique: Int
    /// The earliest item that it nearly repeats.
    public var head: String?

    /// From its parts.
    public init(item: String, words: Int, unique: Int, head: String? = nil) {
        self.item = item
        self.words = words
        self.unique = unique
        self.head = head
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["item", "words", "unique", "head"])
        item = try fields.id("item")
        words = try fields.count("words")
        unique = try fields.count("unique")
        head = try fields.optionalID("head")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "item": .string(item), "words": .count(words), "unique": .count(unique), "head": head.map { .string($0) },
        ])
    }
}
