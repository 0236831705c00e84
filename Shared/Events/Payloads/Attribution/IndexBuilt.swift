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

    /// From its parts.
    public init(index: String, datanet: String, snapshot: String, root: Digest, manifest: Digest, items: Int, bytes: Int) {
        self.index = index
        self.datanet = datanet
        self.snapshot = snapshot
        self.root = root
        self.manifest = manifest
        self.items = items
        self.bytes = bytes
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["index", "datanet", "snapshot", "root", "manifest", "items", "bytes"])
        index = try fields.id("index")
        datanet = try fields.id("datanet")
        snapshot = try fields.id("snapshot")
        root = try fields.digest("root")
        manifest = try fields.digest("manifest")
        items = try fields.count("items")
        bytes = try fields.count("bytes")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "index": .string(index), "datanet": .string(datanet), "snapshot": .string(snapshot), "root": .digest(root),
            "manifest": .digest(manifest), "items": .count(items), "bytes": .count(bytes),
        ])
    }
}
