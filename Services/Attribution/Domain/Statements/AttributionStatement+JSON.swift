internal import Crypto
internal import Events
public import JSON

extension AttributionStatement {
    /// As it stands in the evidence store.
    public var json: JSONValue {
        .members([
            "attribution": .string(attribution), "inference": .string(inference), "model": .string(model), "version": .count(version),
            "policy": policy?.json, "sources": .array(sources.map(\.json)), "missing": .texts(missing), "computed": computed?.json,
            "datanets": .object(JSONObject(datanets.map { ($0.key, Self.table($0.value)) })), "admitted": Self.table(admitted),
            "unverified": .texts(unverified), "behind": parties.behind.isEmpty ? nil : parties.json, "excluded": .texts(excluded),
        ])
    }

    /// Canonical JSON (RFC 8785): what is stored and hashed.
    public func bytes() throws -> [UInt8] { try JSON.canonical(json, allowFractions: false) }

    /// Reads a statement back.
    /// - Throws: `JSONError`, `JSONFieldError` or `AttributionError` that names the place of what cannot be read.
    public init(json bytes: [UInt8]) throws {
        let value = try JSON.parse(bytes, limits: JSONLimits(depth: 24, bytes: 256 << 20, items: 32_000_000))
        let fields = try value.object()
        try fields.refuseUnknown(keys: [
            "attribution", "inference", "model", "version", "policy", "sources", "missing", "computed", "datanets", "admitted",
            "unverified", "behind", "excluded",
        ])
        let sources = try fields.list("sources", atMost: 10_000) { entry throws(JSONFieldError) in try Source(entry) }
        var computed: AttributionEvidence?
        if let field = fields.optionalField("computed") {
            computed = try AttributionEvidence(json: try JSON.canonical(field.value, allowFractions: false))
        }
        let owners = try fields.object("datanets")
        var datanets: [String: [String: Int]] = [:]
        for owner in owners.object.keys { datanets[owner] = try Self.table(owners.object(owner)) }
        self.init(
            attribution: try fields.id("attribution"), inference: try fields.id("inference"), model: try fields.id("model"),
            version: try fields.count("version"), policy: try fields.optionalObject("policy").map { try Events.AttributionPolicy($0) },
            sources: sources, missing: try fields.ids("missing"), computed: computed, datanets: datanets,
            admitted: try Self.table(fields.object("admitted")),
            unverified: try fields.ids("unverified", atMost: AttributionLimits.owners),
            parties: try fields.optionalField("behind").map { try Parties($0) } ?? Parties.alone,
            excluded: try fields.ids("excluded", atMost: AttributionLimits.owners))
    }

    private static func table(_ counts: [String: Int]) -> JSONValue {
        .object(JSONObject(counts.map { ($0.key, JSONValue.int(Int64($0.value))) }))
    }

    private static func table(_ fields: JSONFields) throws(JSONFieldError) -> [String: Int] {
        var counts: [String: Int] = [:]
        for key in fields.object.keys { counts[key] = try fields.count(key) }
        return counts
    }
}

extension AttributionStatement.Source {
    fileprivate var json: JSONValue {
        .members(["snapshot": snapshot.json, "index": index.map { .digest($0) }, "retrieval": .bool(isRetrieval)])
    }

    fileprivate init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["snapshot", "index", "retrieval"])
        snapshot = try SnapshotReference(fields.object("snapshot"))
        index = try fields.optionalDigest("index")
        isRetrieval = try fields.bool("retrieval")
    }
}
