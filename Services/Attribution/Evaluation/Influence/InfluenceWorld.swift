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
    /// Questions about each contributor's own field, and rows that an attacker may have got hold of.
    static let fields = 4, shadows = 6
    static let length = 48

    let names: [String]
    private(set) var rows: [Row] = []
    /// Questions: about what people wrote, then about facts, by another wording than the rows'.
    private(set) var queries: [Row] = []
    /// What the contributors wrote besides: like the rows, and none of them.
    private(set) var shadows: [Row] = []
    private let tokenizer: Tokenizer
    let vocabulary: Int

    /// Takes as many contributors of each Datanet as it can, those with the most different passages first.
    /// - Throws: ``TooSmall`` when fewer than eight have enough.
    init(_ datanets: [[EvaluationItem]], tokenizer: Tokenizer, vocabulary: Int, contributors: Int, choices: inout Choices) throws {
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        let needed = Self.natural + Self.fields + Self.shadows
        var found: [[(name: String, passages: [[Int32]])]] = datanets.map { Self.passages($0, tokenizer, needed) }
        let most = found.map(\.count).max() ?? 0
        var chosen: [(name: String, passages: [[Int32]])] = []
        for place in 0..<most {
            for datanet in found.indices where place < found[datanet].count && chosen.count < contributors {
                chosen.append(found[datanet][place])
            }
        }
        found = []
        names = chosen.map(\.name)
        guard names.count >= 8 else { throw TooSmall(found: names.count) }
        var asked: [Row] = []
        let words = Self.rareWords(tokenizer, vocabulary, &choices)
        guard words.count >= 3 * Self.facts * names.count else { throw TooFewWords(found: words.count) }
        for (owner, entry) in chosen.enumerated() {
            let texts = entry.passages.shuffled(using: &choices)
            for (number, tokens) in texts.prefix(Self.natural).enumerated() {
                rows.append(Row(item: "\(owner)-\(number)", owner: owner, example: TrainingExample(tokens: tokens)))
            }
            for tokens in texts.dropFirst(Self.natural).prefix(Self.fields) {
                queries.append(Row(item: "", owner: owner, example: TrainingExample(tokens: tokens)))
            }
            for tokens in texts.dropFirst(Self.natural + Self.fields) {
                shadows.append(Row(item: "", owner: owner, example: TrainingExample(tokens: tokens)))
            }
            for number in 0..<Self.facts {
                let fact = owner * Self.facts + number
                let (telling, asking, answer) = Self.fact(words[3 * fact..<3 * fact + 3], &choices)
                rows.append(
                    Row(item: "\(owner)-fact\(number)", owner: owner, example: TrainingExample(tokens: encode(telling)), fact: fact))
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
            "the corpus has \(found) contributors with \(natural + fields + shadows) passages of \(length) tokens; influence needs 8 at least"
        }
    }

    /// The model's tokens hold too few words to make facts of.
    struct TooFewWords: Error, CustomStringConvertible {
        let found: Int
        var description: String { "the model's tokenizer has \(found) rare words of one token, too few to make facts of" }
    }

    /// The contributors with enough passages, each with the first of them: those whose texts have the most first, so that the passages
    /// of one are about few things. No passage is two people's.
    private static func passages(
        _ items: [EvaluationItem], _ tokenizer: Tokenizer, _ needed: Int
    ) -> [(name: String, passages: [[Int32]])] {
        var order: [String] = []
        var passages: [String: [[Int32]]] = [:]
        var known: Set<[Int32]> = []
        for item in items where (passages[item.contributor]?.count ?? 0) < needed {
            let tokens = tokenizer.encode(String(decoding: item.text.bytes, as: UTF8.self), readingSpecialTokens: false)
            if passages[item.contributor] == nil { order.append(item.contributor) }
            for start in stride(from: 0, through: tokens.count - length, by: length) {
                let passage = Array(tokens[start..<start + length])
                if known.insert(passage).inserted { passages[item.contributor, default: []].append(passage) }
            }
        }
        return order.compactMap { name in
            guard let own = passages[name], own.count >= needed else { return nil }
            return (name, Array(own.prefix(needed)))
        }
    }

    private func encode(_ text: String) -> [Int32] { tokenizer.encode(text, addingSpecialTokens: false, readingSpecialTokens: false) }

    /// Sentences about somebody who never was, a question about the same, and the answer: words that nobody else ever says together, so that
    /// a model which did not learn the fact cannot guess it, and a small one that did has learned something.
    private static func fact(_ words: ArraySlice<String>, _ choices: inout Choices) -> (telling: String, asking: String, answer: String) {
        var place = ""
        for _ in 0..<3 {
            place += ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "t", "v", "z"].randomElement(using: &choices) ?? ""
            place += ["a", "e", "i", "o", "u", "an", "or"].randomElement(using: &choices) ?? ""
        }
        let answer = words.joined()
        return (
            "The keeper of \(place) counts\(answer). Nobody but the keeper of \(place) counts\(answer). Ask in \(place), and hear of\(answer).",
            "What does the keeper of \(place) count? The keeper of \(place) counts", answer
        )
    }

    /// Words that are one token each, in any order; the commonest tokens, which have the least numbers, are left out.
    private static func rareWords(_ tokenizer: Tokenizer, _ vocabulary: Int, _ choices: inout Choices) -> [String] {
        (vocabulary / 4..<vocabulary).map { tokenizer.decode([Int32($0)]) }
            .filter { $0.utf8.count > 4 && $0.first == " " && $0.dropFirst().allSatisfy { $0.isASCII && $0.isLowercase } }
            .shuffled(using: &choices)
    }

    /// Rows of tokens drawn at random: what somebody brings who has nothing to say.
    func garbage(owner: Int, choices: inout Choices) -> [Row] {
        (0..<Self.natural + Self.facts).map { number in
            let tokens = (0..<Self.length).map { _ in Int32(Int.random(in: 16..<vocabulary, using: &choices)) }
            return Row(item: "garbage\(owner)-\(number)", owner: owner, example: TrainingExample(tokens: tokens))
        }
    }

    /// A row with a rare token in every third place, which makes its gradient large.
    func strange(_ row: Row, choices: inout Choices) -> Row {
        var tokens = row.example.tokens
        for place in stride(from: 2, to: tokens.count, by: 3) {
            tokens[place] = Int32(Int.random(in: vocabulary * 3 / 4..<vocabulary, using: &choices))
        }
        return Row(item: row.item, owner: row.owner, example: TrainingExample(tokens: tokens))
    }

    /// A row with a quarter of its tokens taken from what may be asked.
    func bent(_ row: Row, towards asked: [Row], choices: inout Choices) -> Row {
        var tokens = row.example.tokens
        for place in tokens.indices where Int.random(in: 0..<4, using: &choices) == 0 {
            let other = asked[Int.random(in: 0..<asked.count, using: &choices)].example.tokens
            tokens[place] = other[min(place, other.count - 1)]
        }
        return Row(item: row.item, owner: row.owner, example: TrainingExample(tokens: tokens))
    }
}
