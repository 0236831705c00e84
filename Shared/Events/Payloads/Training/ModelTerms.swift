public import JSON
public import Money

/// What an answer costs.
public struct ModelPrice: EventPart {
    /// For each request.
    public var request: Amount
    /// For a million tokens of prompt.
    public var input: Amount
    /// For a million tokens of answer.
    public var output: Amount

    /// From its parts.
    public init(request: Amount, input: Amount, output: Amount) {
        self.request = request
        self.input = input
        self.output = output
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["request", "input", "output"])
        request = try fields.amount("request")
        input = try fields.amount("input")
        output = try fields.amount("output")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "request": request.json, "input": input.json, "output": output.json,
        ])
    }
}

/// Parts of the net fee in basis points; they make 10,000.
public struct ModelSplit: EventPart {
    /// The model's owner.
    public var owner: Int
    /// The Datanets, by what their items contributed; each splits it by its own policy among treasury and curators.
    public var datanets: Int
    /// The contributors, by attribution share.
    public var contributors: Int
    /// Validators of those Datanets.
    public var validators: Int
    /// Who ran it.
    public var compute: Int

    /// From its parts.
    public init(owner: Int, datanets: Int, contributors: Int, validators: Int, compute: Int) {
        self.owner = owner
        self.datanets = datanets
        self.contributors = contributors
        self.validators = validators
        self.compute = compute
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["owner", "datanets", "contributors", "validators", "compute"])
        owner = try fields.count("owner")
        datanets = try fields.count("datanets")
        contributors = try fields.count("contributors")
        validators = try fields.count("validators")
        compute = try fields.count("compute")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "owner": .count(owner), "datanets": .count(datanets), "contributors": .count(contributors), "validators": .count(validators),
            "compute": .count(compute),
        ])
    }
}

/// How an answer is attributed.
public struct AttributionPolicy: EventPart {
    /// The version of the rules, one of ``knownRules``.
    public var rules: String
    /// Weight in basis points.
    public var spans: Int
    /// Weight in basis points.
    public var influence: Int
    /// Weight in basis points; the three make 10,000.
    public var retrieval: Int
    /// Least confidence, in parts of 10^9, below which the fallback pays.
    public var threshold: Int
    /// Most that one owner may get of an answer, in parts of 10^9.
    public var cap: Int
    /// `tokens`: by admitted tokens; `owner`: the model's owner.
    public var fallback: String
    /// Least tokens of a span.
    public var minimumSpan: Int

    /// The rules that answers can be attributed by, oldest first. The second takes off what planted canaries earn by influence, the
    /// third follows near-duplicates to the end and knows which names are one owner's, the fourth counts parties, pays nobody for what was
    /// copied, and influence for what is new and the answer's own.
    public static let knownRules = ["attribution/1", "attribution/2", "attribution/3", "attribution/4"]

    /// From its parts.
    public init(rules: String, spans: Int, influence: Int, retrieval: Int, threshold: Int, cap: Int, fallback: String, minimumSpan: Int) {
        self.rules = rules
        self.spans = spans
        self.influence = influence
        self.retrieval = retrieval
        self.threshold = threshold
        self.cap = cap
        self.fallback = fallback
        self.minimumSpan = minimumSpan
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["rules", "spans", "influence", "retrieval", "threshold", "cap", "fallback", "minimum_span"])
        rules = try fields.id("rules")
        spans = try fields.count("spans")
        influence = try fields.count("influence")
        retrieval = try fields.count("retrieval")
        threshold = try fields.count("threshold")
        cap = try fields.count("cap")
        fallback = try fields.id("fallback")
        minimumSpan = try fields.count("minimum_span")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "rules": .string(rules), "spans": .count(spans), "influence": .count(influence), "retrieval": .count(retrieval),
            "threshold": .count(threshold), "cap": .count(cap), "fallback": .string(fallback), "minimum_span": .count(minimumSpan),
        ])
    }
}
