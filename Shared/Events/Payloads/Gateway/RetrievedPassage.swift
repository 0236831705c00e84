public import JSON

/// A passage that was put before the model.
public struct RetrievedPassage: EventPart {
    /// Its Datanet.
    public var datanet: String
    /// Its item.
    public var item: String
    /// Whose work it is.
    public var owner: String
    /// First byte of the passage within the item.
    public var offset: Int
    /// Its bytes.
    public var length: Int
    /// Whether the answer names it.
    public var cited: Bool
    /// Its rank by words in what its Datanet found, from 1; nil where it was not found by them, or where words alone ranked.
    public var textRank: Int?
    /// Its rank by likeness of meaning in what its Datanet found, from 1; nil where it was not found by that.
    public var similarityRank: Int?

    /// From its parts.
    public init(
        datanet: String, item: String, owner: String, offset: Int, length: Int, cited: Bool, textRank: Int? = nil,
        similarityRank: Int? = nil
    ) {
        self.datanet = datanet
        self.item = item
        self.owner = owner
        self.offset = offset
        self.length = length
        self.cited = cited
        self.textRank = textRank
        self.similarityRank = similarityRank
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["datanet", "item", "owner", "offset", "length", "cited", "text_rank", "similarity_rank"])
        datanet = try fields.id("datanet")
        item = try fields.id("item")
        owner = try fields.id("owner")
        offset = try fields.count("offset")
        length = try fields.count("length")
        cited = try fields.bool("cited")
        textRank = try fields.optionalInt("text_rank", in: 1...1_000_000)
        similarityRank = try fields.optionalInt("similarity_rank", in: 1...1_000_000)
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "datanet": .string(datanet), "item": .string(item), "owner": .string(owner), "offset": .count(offset), "length": .count(length),
            "cited": .bool(cited), "text_rank": textRank.map { .count($0) }, "similarity_rank": similarityRank.map { .count($0) },
        ])
    }
}

/// How passages were ranked.
public struct RetrievalRanking: EventPart {
    /// The rule's name, such as `retrieval/2`.
    public var rule: String
    /// The model that embedded question and passages.
    public var embeddings: String

    /// From its parts.
    public init(rule: String, embeddings: String) {
        self.rule = rule
        self.embeddings = embeddings
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["rule", "embeddings"])
        rule = try fields.id("rule")
        embeddings = try fields.id("embeddings")
    }

    /// As it is written.
    public var json: JSONValue { ["rule": .string(rule), "embeddings": .string(embeddings)] }
}
