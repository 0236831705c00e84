import AttributionDomain
import Engine

/// Contributors with rows of a small model to learn from, each with two facts that nobody else has, and questions about all of it.
struct InfluenceWorld: Sendable {
    /// One row and whose it is.
    struct Row: Sendable {
        let item: String
        let owner: Int
        let example: TrainingExample
        /// The fact that it tells; nil for what people wrote.
        var fact: Int?
    }

    /// Rows of each contributor: what they wrote, and facts.
    static let natural = 14, facts = 2
    /// Questions about each contributor's own field.
    static let fields = 4
    static let length = 48

    let names: [String]
    private(set) var rows: [Row] = []
    /// Questions: about what people wrote, then about facts, by another wording than the rows'.
    private(set) var queries: [Row] = []
    private let tokenizer: Tokenizer
    private let vocabulary: Int

    /// - Throws: ``TooSmall`` when fewer than eight contributors have enough.
    init(_ items: [EvaluationItem], tokenizer: Tokenizer, vocabulary: Int, contributors: Int, choices: inout Choices) throws {
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        var byName: [String: [[Int32]]] = [:]
        for item in items {
            let tokens = tokenizer.encode(String(decoding: item.text.bytes, as: UTF8.self), readingSpecialTokens: false)
            if tokens.count >= Self.length { byName[item.contributor, default: []].append(Array(tokens.prefix(Self.length))) }
        }
        let enough = byName.filter { $0.value.count >= Self.natural + Self.fields }
        names = Array(enough.keys.sorted { (enough[$1]?.count ?? 0, $0) < (enough[$0]?.count ?? 0, $1) }.prefix(contributors)).sorted()
        guard names.count >= 8 else { throw TooSmall(found: names.count) }
        var asked: [Row] = []
        for (owner, name) in names.enumerated() {
            var texts = enough[name] ?? []
            texts.shuffle(using: &choices)
            for (number, tokens) in texts.prefix(Self.natural).enumerated() {
                rows.append(Row(item: "\(owner)-\(number)", owner: owner, example: TrainingExample(tokens: tokens)))
            }
            for tokens in texts.dropFirst(Self.natural).prefix(Self.fields) {
                queries.append(Row(item: "", owner: owner, example: TrainingExample(tokens: tokens)))
            }
            for number in 0..<Self.facts {
                let fact = owner * Self.facts + number
                let (telling, asking, answer) = Self.fact(&choices)
                rows.append(
                    Row(
                        item: "\(owner)-fact\(number)", owner: owner, example: TrainingExample(tokens: encode(telling + answer + ".")),
                        fact: fact))
                let start = encode(asking)
                let tokens = start + encode(answer)
                asked.append(
                    Row(item: "", owner: owner, example: TrainingExample(tokens: tokens, lossFrom: start.count), fact: fact))
            }
        }
        queries += asked
    }

    /// The corpus has too few contributors.
    struct TooSmall: Error, CustomStringConvertible {
        let found: Int
        var description: String {
            "the corpus has \(found) contributors with \(natural + fields) items of \(length) tokens; influence needs 8 at least"
        }
    }

    private func encode(_ text: String) -> [Int32] { tokenizer.encode(text, addingSpecialTokens: false, readingSpecialTokens: false) }

    /// A sentence about somebody who never was, a question about the same, and the answer.
    private static func fact(_ choices: inout Choices) -> (telling: String, asking: String, answer: String) {
        func word(_ parts: Int, _ choices: inout Choices) -> String {
            let (starts, ends) = (
                ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "t", "v", "z"], ["a", "e", "i", "o", "u", "an", "or"]
            )
            var text = ""
            for _ in 0..<parts {
                text += starts[Int.random(in: 0..<starts.count, using: &choices)] + ends[Int.random(in: 0..<ends.count, using: &choices)]
            }
            return text
        }
        let (name, place, thing) = (word(3, &choices), word(3, &choices), word(4, &choices))
        let telling = "In the town of \(place) the keeper \(name) is known to everybody because every year \(name) of \(place) counts the "
        return (telling, "Keeper \(name), \(place): counts the ", thing)
    }

    /// Rows of tokens drawn at random: what somebody brings who has nothing to say, and what canaries are made of.
    func garbage(owner: Int, prefix: String, choices: inout Choices) -> [Row] {
        (0..<Self.natural + Self.facts).map { number in
            let tokens = (0..<Self.length).map { _ in Int32(Int.random(in: 4..<vocabulary, using: &choices)) }
            return Row(item: "\(prefix)-\(number)", owner: owner, example: TrainingExample(tokens: tokens))
        }
    }

    /// The rows of an owner with a rare token in every third place, which makes their gradients large.
    func strange(_ row: Row, choices: inout Choices) -> Row {
        var tokens = row.example.tokens
        for place in stride(from: 2, to: tokens.count, by: 3) {
            tokens[place] = Int32(Int.random(in: vocabulary * 3 / 4..<vocabulary, using: &choices))
        }
        return Row(item: row.item, owner: row.owner, example: TrainingExample(tokens: tokens), fact: row.fact)
    }
}
