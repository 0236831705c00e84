public import JSON

/// A model's chat template: from a conversation to the text that the model was trained on.
///
/// Templates are programs of Jinja 2. This is an interpreter of the part of it that the templates of the supported families
/// use: `if`, `for`, `set`, expressions, namespaces, and the usual filters, tests and methods. Whatever else a template says
/// is an error with its line; nothing is guessed, as a conversation written in another form is answered worse without a sign.
public struct ChatTemplate: Sendable {
    static let name = "chat template"
    /// The longest template that is read, in bytes.
    public static let greatestTemplate = 128 << 10

    private let tree: [TemplateStatement]
    private let specialTexts: [String: String]

    /// Reads a template.
    /// - Parameter specialTexts: what templates call `bos_token`, `eos_token` and so on.
    public init(_ template: String, specialTexts: [String: String] = [:]) throws(FormatError) {
        guard template.utf8.count <= Self.greatestTemplate else {
            throw FormatError(.tooLarge, file: Self.name, "has \(template.utf8.count) bytes; at most \(Self.greatestTemplate) are read")
        }
        var parser = try TemplateParser(template)
        tree = try parser.parse()
        self.specialTexts = specialTexts
    }

    /// Reads the template of a model's folder: `chat_template.jinja`, or `chat_template` of `tokenizer_config.json`. Nil when the
    /// model has none.
    public init?(folder: String) throws(FormatError) {
        let path = folder + "/tokenizer_config.json", file = folder + "/chat_template.jinja"
        guard WholeFile.exists(path) || WholeFile.exists(file) else { return nil }
        var texts: [String: String] = [:], template: String?
        if WholeFile.exists(path) {
            let bytes = try WholeFile.read(path, limit: 16 << 20)
            let document: JSONValue
            do { document = try JSON.parse(bytes, limits: JSONLimits(depth: 32, bytes: 16 << 20, items: 1_000_000)) } catch {
                throw FormatError(.malformed, file: path, "\(error)")
            }
            for key in ["bos_token", "eos_token", "unk_token", "pad_token"] {
                if let text = document[key]?.stringValue ?? document[key]?["content"]?.stringValue { texts[key] = text }
            }
            template = document["chat_template"]?.stringValue
            for entry in document["chat_template"]?.arrayValue ?? [] where entry["name"]?.stringValue == "default" {
                template = entry["template"]?.stringValue
            }
        }
        if WholeFile.exists(file) { template = String(decoding: try WholeFile.read(file, limit: Self.greatestTemplate), as: UTF8.self) }
        guard let template else { return nil }
        try self.init(template, specialTexts: texts)
    }

    /// The text of a conversation.
    /// - Parameters:
    ///   - addsGenerationPrompt: end with what the model answers after.
    ///   - variables: other values that the template may ask for, as `tools`.
    public func render(
        _ messages: [ChatMessage], addsGenerationPrompt: Bool = true, variables: JSONObject = JSONObject()
    ) throws(FormatError) -> String {
        var values: [String: TemplateValue] = ["add_generation_prompt": .bool(addsGenerationPrompt)]
        for (key, text) in specialTexts { values[key] = .string(text) }
        for member in variables.members { values[member.key] = TemplateValue(member.value) }
        values["messages"] = .list(
            messages.map { message in
                .dict(
                    [("role", .string(message.role)), ("content", .string(message.content))]
                        + message.others.members.map { (key: $0.key, value: TemplateValue($0.value)) })
            })
        var evaluator = TemplateEvaluator(values)
        try evaluator.run(tree)
        return evaluator.output
    }
}
