internal import Crypto
internal import Engine
internal import Events
internal import JSON
internal import ServiceShell

/// A Datanet's items as rows to learn from.
struct JobRows: Sendable {
    /// One row and whose it is.
    struct Row: Sendable {
        let item: String
        let owner: String
        let datanet: String
        let example: TrainingExample
    }

    private(set) var training: [Row] = []
    private(set) var holdout: [Row] = []
    /// Rows that were longer than the settings allow.
    private(set) var cut = 0
    private let model: ServedModel
    private let maximum: Int
    private let held: Int
    private let learnsPassages: Bool
    /// The last pairs' texts of each Datanet: passages that say nothing about the next pair. Never one that is held out.
    private var others: [String: [String]] = [:]

    /// - Parameters:
    ///   - maximum: most tokens of a row.
    ///   - held: rows in a hundred that are held out.
    ///   - learnsPassages: whether pairs are learned with passages too.
    init(model: ServedModel, maximum: Int, held: Int, learnsPassages: Bool) {
        self.learnsPassages = learnsPassages
        self.model = model
        self.maximum = min(maximum, model.model.contextLength)
        self.held = held
    }

    /// Adds an item; one that was taken back has no content and is passed over.
    mutating func add(_ line: JSONValue, datanet: String) throws {
        let fields = try line.object()
        guard let content = fields.optionalField("content") else { return }
        let item = try fields.id("item")
        let owner = try fields.id("owner")
        // By the item's id, so that the same item is held out in every run and on every machine.
        let isHeld = Int(SHA256.hash(utf8: "holdout\n" + item).bytes[0]) * 100 < held * 256
        let examples: [TrainingExample]
        if let text = content.value.stringValue {
            examples = plain(text)
        } else {
            let content = try content.object()
            if let prompt = content.optionalField("prompt")?.value.stringValue,
                let completion = content.optionalField("completion")?.value.stringValue
            {
                // Half a pair teaches nothing: it is passed over.
                if prompt.isEmpty || completion.isEmpty { return }
                examples = try pairs(prompt, completion, of: datanet, isHeld: isHeld)
            } else {
                examples = plain(content.optionalField("text")?.value.stringValue ?? "")
            }
        }
        for example in examples where example.tokens.count > 1 && !example.targets.isEmpty {
            let row = Row(item: item, owner: owner, datanet: datanet, example: example)
            if isHeld { holdout.append(row) } else { training.append(row) }
        }
    }

    private mutating func pairs(_ prompt: String, _ completion: String, of datanet: String, isHeld: Bool) throws -> [TrainingExample] {
        let question = ChatMessage(role: "user", content: prompt)
        let plain = try pair([question], completion)
        guard learnsPassages else { return [plain] }
        let own = prompt + "\n" + completion
        // Its own passage stands first, in the middle or last, as it will when passages are looked up.
        var passages = others[datanet] ?? []
        passages.insert(own, at: min(passages.count, Int(SHA256.hash(utf8: own).bytes[0]) % 3))
        if !isHeld { others[datanet] = Array(((others[datanet] ?? []) + [own]).suffix(2)) }
        let context = ChatMessage(role: "system", content: PassagePrompt.text(passages))
        return [plain, try pair([context, question], completion)]
    }

    private mutating func pair(_ messages: [ChatMessage], _ completion: String) throws -> TrainingExample {
        var tokens = try JobRows.prompt(messages, model)
        let start = tokens.count
        tokens += model.tokenizer.encode(completion, addingSpecialTokens: false, readingSpecialTokens: false)
        if let end = model.ends.min() { tokens.append(end) }
        guard tokens.count > maximum else { return TrainingExample(tokens: tokens, lossFrom: start) }
        cut += 1
        // The end of a long prompt says more about its answer than the beginning.
        let keptPrompt = min(start, maximum / 2)
        let kept = Array(tokens[(start - keptPrompt)..<start]) + tokens[start...].prefix(maximum - keptPrompt)
        return TrainingExample(tokens: kept, lossFrom: keptPrompt)
    }

    private func plain(_ text: String) -> [TrainingExample] {
        let tokens = model.tokenizer.encode(text, readingSpecialTokens: false)
        return stride(from: 0, to: tokens.count, by: maximum).map {
            TrainingExample(tokens: Array(tokens[$0..<min($0 + maximum, tokens.count)]))
        }
    }

    /// The tokens of a conversation up to where the answer begins.
    static func prompt(_ messages: [ChatMessage], _ model: ServedModel) throws -> [Int32] {
        if let template = model.template { return try template.encode(messages, with: model.tokenizer) }
        return model.tokenizer.encode(
            messages.map { "\($0.role): \($0.content)" }.joined(separator: "\n") + "\nassistant: ", readingSpecialTokens: false)
    }
}
