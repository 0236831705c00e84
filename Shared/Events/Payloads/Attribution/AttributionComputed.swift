public import Crypto
public import JSON

/// Which data shaped an answer, and how sure that is.
public struct AttributionComputed: EventData, Hashable {
    /// `attribution.computed`.
    public static let type = "attribution.computed"

    /// The attribution.
    public var attribution: String
    /// The answer.
    public var inference: String
    /// The model.
    public var model: String
    /// Its version.
    public var version: Int
    /// The version of the rules.
    public var rules: String
    /// What each method found.
    public var methods: [MethodResult]
    /// Whether the fallback pays, because no method was sure enough.
    public var fallback: Bool
    /// Who gets what of the contributors' part; they make 10^9.
    public var shares: EvidenceList<AttributionShare>
    /// Evidence: what the shares are computed from.
    public var evidence: Digest
    /// What was not there to be looked at, as codes such as `no-row` or `content-erased`.
    public var missing: [String]

    /// From its parts.
    public init(
        attribution: String, inference: String, model: String, version: Int, rules: String, methods: [MethodResult], fallback: Bool,
        shares: EvidenceList<AttributionShare>, evidence: Digest, missing: [String] = []
    ) {
        self.attribution = attribution
        self.inference = inference
        self.model = model
        self.version = version
        self.rules = rules
        self.methods = methods
        self.fallback = fallback
        self.shares = shares
        self.evidence = evidence
        self.missing = missing
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "attribution", "inference", "model", "version", "rules", "methods", "fallback", "shares", "evidence", "missing",
        ])
        attribution = try fields.id("attribution")
        inference = try fields.id("inference")
        model = try fields.id("model")
        version = try fields.count("version")
        rules = try fields.id("rules")
        methods = try fields.list("methods") { entry throws(JSONFieldError) in try MethodResult(entry) }
        fallback = try fields.bool("fallback")
        shares = try EvidenceList(fields.object("shares"))
        evidence = try fields.digest("evidence")
        missing = try fields.ids("missing")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "attribution": .string(attribution), "inference": .string(inference), "model": .string(model), "version": .count(version),
            "rules": .string(rules), "methods": .array(methods.map(\.json)), "fallback": .bool(fallback), "shares": shares.json,
            "evidence": .digest(evidence), "missing": missing.isEmpty ? nil : .texts(missing),
        ])
    }
}

/// A ruling put other shares in the place of an attribution's.
public struct AttributionCorrected: EventData, Hashable {
    /// `attribution.corrected`.
    public static let type = "attribution.corrected"

    /// The attribution.
    public var attribution: String
    /// The ruling.
    public var ruling: String
    /// The shares from here on.
    public var shares: EvidenceList<AttributionShare>
    /// Evidence: what they are computed from.
    public var evidence: Digest

    /// From its parts.
    public init(attribution: String, ruling: String, shares: EvidenceList<AttributionShare>, evidence: Digest) {
        self.attribution = attribution
        self.ruling = ruling
        self.shares = shares
        self.evidence = evidence
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["attribution", "ruling", "shares", "evidence"])
        attribution = try fields.id("attribution")
        ruling = try fields.id("ruling")
        shares = try EvidenceList(fields.object("shares"))
        evidence = try fields.digest("evidence")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "attribution": .string(attribution), "ruling": .string(ruling), "shares": shares.json, "evidence": .digest(evidence),
        ])
    }
}

/// What one method found.
public struct MethodResult: EventPart {
    /// `spans`, `influence` or `retrieval`.
    public var method: String
    /// Parts of 10^9 that it had in the result.
    public var weight: Int
    /// How sure it is, in parts of 10^9.
    public var confidence: Int

    /// From its parts.
    public init(method: String, weight: Int, confidence: Int) {
        self.method = method
        self.weight = weight
        self.confidence = confidence
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["method", "weight", "confidence"])
        method = try fields.id("method")
        weight = try fields.count("weight")
        confidence = try fields.count("confidence")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "method": .string(method), "weight": .count(weight), "confidence": .count(confidence),
        ])
    }
}

/// One owner's part by way of one Datanet.
public struct AttributionShare: EventPart {
    /// Whose work it is.
    public var owner: String
    /// Where it came from.
    public var datanet: String
    /// Parts of 10^9.
    public var share: Int

    /// From its parts.
    public init(owner: String, datanet: String, share: Int) {
        self.owner = owner
        self.datanet = datanet
        self.share = share
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "datanet", "share"])
        owner = try fields.id("owner")
        datanet = try fields.id("datanet")
        share = try fields.count("share")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "owner": .string(owner), "share": .count(share),
        ])
    }
}
