public import Crypto
public import JSON

/// A model may be asked: a base, with or without an adapter, at a price, under a policy.
public struct ModelPublished: EventData, Hashable {
    /// `model.published`.
    public static let type = "model.published"

    /// Its name, such as `acme/defi`.
    public var model: String
    /// From 1.
    public var version: Int
    /// Who earns the owner's part.
    public var owner: String
    /// The base model.
    public var base: String
    /// The adapter's artefact.
    public var adapter: Digest?
    /// The job that made it.
    public var job: String?
    /// What it learned from, and what spans are looked for in.
    public var snapshots: [SnapshotReference]
    /// Datanets that passages are taken from.
    public var retrieval: [String]
    /// What an answer costs.
    public var price: ModelPrice
    /// Who gets what of the net fee.
    public var split: ModelSplit
    /// How the contributors' part is shared.
    public var attribution: AttributionPolicy
    /// Whether its owner alone, and the owner's agents, may ask it.
    public var isPrivate: Bool

    /// From its parts.
    public init(
        model: String, version: Int, owner: String, base: String, adapter: Digest? = nil, job: String? = nil,
        snapshots: [SnapshotReference], retrieval: [String], price: ModelPrice, split: ModelSplit, attribution: AttributionPolicy,
        isPrivate: Bool = false
    ) {
        self.model = model
        self.version = version
        self.owner = owner
        self.base = base
        self.adapter = adapter
        self.job = job
        self.snapshots = snapshots
        self.retrieval = retrieval
        self.price = price
        self.split = split
        self.attribution = attribution
        self.isPrivate = isPrivate
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "model", "version", "owner", "base", "adapter", "job", "snapshots", "retrieval", "price", "split", "attribution", "private",
        ])
        model = try fields.id("model")
        version = try fields.count("version")
        owner = try fields.id("owner")
        base = try fields.id("base")
        adapter = try fields.optionalDigest("adapter")
        job = try fields.optionalID("job")
        snapshots = try fields.list("snapshots") { entry throws(JSONFieldError) in try SnapshotReference(entry) }
        retrieval = try fields.ids("retrieval")
        price = try ModelPrice(fields.object("price"))
        split = try ModelSplit(fields.object("split"))
        attribution = try AttributionPolicy(fields.object("attribution"))
        isPrivate = try fields.optionalBool("private") ?? false
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "model": .string(model), "version": .count(version), "owner": .string(owner), "base": .string(base),
            "adapter": adapter.map { .digest($0) }, "job": job.map { .string($0) }, "snapshots": .array(snapshots.map(\.json)),
            "retrieval": .texts(retrieval), "price": price.json, "split": split.json, "attribution": attribution.json,
            "private": isPrivate ? true : nil,
        ])
    }
}

/// A model may no longer be asked.
public struct ModelRetired: EventData, Hashable {
    /// `model.retired`.
    public static let type = "model.retired"

    /// Its name.
    public var model: String
    /// The version; nil means all.
    public var version: Int?

    /// From its parts.
    public init(model: String, version: Int? = nil) {
        self.model = model
        self.version = version
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["model", "version"])
        model = try fields.id("model")
        version = try fields.optionalInt("version", in: 0...(1 << 53) - 1)
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "model": .string(model), "version": version.map { .count($0) },
        ])
    }
}
