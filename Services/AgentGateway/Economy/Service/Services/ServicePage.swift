internal import Events
internal import JSON

/// What a provider writes about a service. People and programs find it by these words.
struct ServicePage: Sendable {
    let name: String
    let description: String
    let tags: [String]
    /// JSON Schemas of what goes in and what comes out.
    let input: JSONValue?
    let output: JSONValue?
    /// Where the provider answers itself, when it does.
    let url: String?
    /// Where a picture of it is.
    let image: String?
    /// The model that answers at once for whoever pays by x402; its answers are asked for in the provider's name.
    let model: String?
    /// Most tokens of such an answer.
    let maximumTokens: Int
    let json: JSONValue

    init(_ json: JSONValue) throws {
        let fields = try json.object()
        name = try fields.string("name", bytes: 1...400)
        description = try fields.string("description", bytes: 1...16_000)
        tags = try fields.ids("tags", atMost: 20)
        input = fields.optionalField("input")?.value
        output = fields.optionalField("output")?.value
        url = try fields.optionalString("url", bytes: 1...2_000)
        image = try fields.optionalString("image", bytes: 1...2_000)
        model = try fields.optionalID("model")
        maximumTokens = try fields.optionalInt("max_tokens", in: 1...8_192) ?? 256
        for (name, schema) in [("input", input), ("output", output)] {
            guard let schema, schema.objectValue == nil else { continue }
            throw try fields.field(name).error("must be a JSON Schema, an object")
        }
        for (name, address) in [("url", url), ("image", image)] {
            guard let address, !address.hasPrefix("https://"), !address.hasPrefix("http://") else { continue }
            throw try fields.field(name).error("must begin with https:// or http://")
        }
        self.json = json
    }

    /// How well it fits words: each counts most in the name, then in the tags, then in the description; nil when one is nowhere.
    func rank(of words: [String]) -> Int? {
        let places = [(Self.words(name), 8), (Set(tags.flatMap { Array(Self.words($0)) }), 4), (Self.words(description), 1)]
        var rank = 0
        for word in words {
            let points = places.reduce(0) { sum, place in
                sum + (place.0.contains(word) ? 2 * place.1 : place.0.contains { $0.hasPrefix(word) } ? place.1 : 0)
            }
            if points == 0 { return nil }
            rank += points
        }
        return rank
    }

    /// A text's words in lower case.
    static func words(_ text: String) -> Set<String> {
        Set(text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init))
    }
}
