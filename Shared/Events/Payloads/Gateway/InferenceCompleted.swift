public import Crypto
public import JSON
public import Money

/// An answer was given and its fee is due.
public struct InferenceCompleted: EventData, Hashable {
    /// `inference.completed`.
    public static let type = "inference.completed"

    /// The answer.
    public var inference: String
    /// Who pays.
    public var payer: String
    /// Who asked: the payer or an agent of theirs.
    public var actor: String
    /// The mandate it was asked under.
    public var mandate: String?
    /// The API key that it was asked with.
    public var key: String?
    /// The model's name.
    public var model: String
    /// Its version.
    public var version: Int
    /// The base model.
    public var base: String
    /// The adapter.
    public var adapter: Digest?
    /// Commitment to the prompt.
    public var prompt: Digest
    /// Commitment to the answer.
    public var answer: Digest
    /// Tokens of the prompt.
    public var inputTokens: Int
    /// Tokens of the answer.
    public var outputTokens: Int
    /// What it costs.
    public var fee: Amount
    /// The hold that it is taken from.
    public var hold: String?
    /// Who computed it.
    public var runner: String
    /// What was retrieved for it.
    public var passages: EvidenceList<RetrievedPassage>
    /// The answer's attribution row.
    public var row: Digest?
    /// The last day, in UTC, on which both texts can be read, such as `2026-12-01`: their key is destroyed after it. Nil when they are
    /// kept until the payer erases them.
    public var keptUntil: String?
    /// How its passages were ranked, where that was by more than their words.
    public var retrieval: RetrievalRanking?
    /// Which attempt to answer a question that its caller has named this is: its hold is that one's. Nil where the answer's own name is.
    public var attempt: String?
    /// True where it broke off before its model had ended it: its caller left, the model failed, its mandate or its time ran out. Absent
    /// elsewhere.
    public var cut: Bool?

    /// From its parts.
    public init(
        inference: String, payer: String, actor: String, mandate: String? = nil, key: String? = nil, model: String, version: Int,
        base: String,
        adapter: Digest? = nil, prompt: Digest, answer: Digest, inputTokens: Int, outputTokens: Int, fee: Amount, hold: String? = nil,
        runner: String, passages: EvidenceList<RetrievedPassage>, row: Digest? = nil, keptUntil: String? = nil,
        retrieval: RetrievalRanking? = nil, attempt: String? = nil, cut: Bool? = nil
    ) {
        self.inference = inference
        self.payer = payer
        self.actor = actor
        self.mandate = mandate
        self.key = key
        self.model = model
        self.version = version
        self.base = base
        self.adapter = adapter
        self.prompt = prompt
        self.answer = answer
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.fee = fee
        self.hold = hold
        self.runner = runner
        self.passages = passages
        self.row = row
        self.keptUntil = keptUntil
        self.retrieval = retrieval
        self.attempt = attempt
        self.cut = cut
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "inference", "payer", "actor", "mandate", "key", "model", "version", "base", "adapter", "prompt", "answer", "input_tokens",
            "output_tokens", "fee", "hold", "runner", "passages", "row", "kept_until", "retrieval", "attempt", "cut",
        ])
        inference = try fields.id("inference")
        payer = try fields.id("payer")
        actor = try fields.id("actor")
        mandate = try fields.optionalID("mandate")
        key = try fields.optionalID("key")
        model = try fields.id("model")
        version = try fields.count("version")
        base = try fields.id("base")
        adapter = try fields.optionalDigest("adapter")
        prompt = try fields.digest("prompt")
        answer = try fields.digest("answer")
        inputTokens = try fields.count("input_tokens")
        outputTokens = try fields.count("output_tokens")
        fee = try fields.amount("fee")
        hold = try fields.optionalID("hold")
        runner = try fields.id("runner")
        passages = try EvidenceList(fields.object("passages"))
        row = try fields.optionalDigest("row")
        keptUntil = try fields.optionalID("kept_until")
        if let ranking = try fields.optionalObject("retrieval") { retrieval = try RetrievalRanking(ranking) } else { retrieval = nil }
        attempt = try fields.optionalID("attempt")
        cut = try fields.optionalBool("cut")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "inference": .string(inference), "payer": .string(payer), "actor": .string(actor), "mandate": mandate.map { .string($0) },
            "key": key.map { .string($0) }, "model": .string(model), "version": .count(version), "base": .string(base),
            "adapter": adapter.map { .digest($0) },
            "prompt": .digest(prompt), "answer": .digest(answer), "input_tokens": .count(inputTokens),
            "output_tokens": .count(outputTokens), "fee": fee.json, "hold": hold.map { .string($0) }, "runner": .string(runner),
            "passages": passages.json, "row": row.map { .digest($0) },
            "kept_until": keptUntil.map { .string($0) }, "retrieval": retrieval?.json,
            "attempt": attempt.map { .string($0) }, "cut": cut.map { .bool($0) },
        ])
    }
}
