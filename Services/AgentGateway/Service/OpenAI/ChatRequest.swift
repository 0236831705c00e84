internal import JSON
internal import Web

/// A request for an answer, as OpenAI's API has it: the parts that we act upon. Members that we do not know are passed over, as its
/// clients expect.
struct ChatRequest: Sendable {
    /// One message.
    struct Message: Sendable {
        let role: String
        let content: String
        /// The calls that an earlier answer asked for, or which of them this is the result of; as servers are sent it that know tools.
        var tools: [(String, JSONValue)] = []

        /// Bytes of all that the model reads.
        var bytes: Int { tools.reduce(content.utf8.count) { $0 + JSON.write($1.1).count } }
        /// As it is kept, and sent on to who knows tools.
        var json: JSONValue { .object(JSONObject([("role", .string(role)), ("content", .string(content))] + tools)) }
    }

    let model: String
    let messages: [Message]
    let temperature: Double
    let topP: Double
    /// Most tokens of the answer.
    let maximumTokens: Int
    let stop: [String]
    let seed: Int?
    let stream: Bool
    /// Whether a stream ends with a chunk that has the usage.
    let includesUsage: Bool
    /// False when the texts are to be kept no longer than they must.
    let isStored: Bool
    /// What else says how tokens are chosen and told, as it is sent on.
    let options: AnswerOptions

    static let defaultTokens = 256
    static let mostTokens = 8_192

    init(chat json: JSONValue) throws {
        let fields = try json.object()
        messages = try fields.array("messages", count: 1...512).map { entry in
            let message = try entry.object()
            let role = try message.string("role", bytes: 1...20)
            guard ["system", "developer", "user", "assistant", "tool"].contains(role) else {
                throw try message.field("role").error("must be system, developer, user, assistant or tool")
            }
            let tools = try Self.tools(message, role)
            // Who only asks for calls says nothing.
            let isSilent = !tools.isEmpty && role == "assistant" && (message.optionalField("content")?.value.isNull ?? true)
            return Message(role: role, content: isSilent ? "" : try Self.text(message.field("content")), tools: tools)
        }
        (model, temperature, topP) = try Self.common(fields)
        maximumTokens = try Self.limit(fields)
        stop = try Self.stops(fields)
        seed = try fields.optionalInt("seed")
        stream = try fields.optionalBool("stream") ?? false
        includesUsage = try fields.optionalObject("stream_options")?.optionalBool("include_usage") ?? false
        isStored = try fields.optionalBool("store") ?? true
        options = try AnswerOptions(fields, isChat: true)
    }

    init(completion json: JSONValue) throws {
        let fields = try json.object()
        let prompt = try fields.field("prompt")
        let text: String
        if let list = prompt.value.arrayValue {
            guard list.count == 1, let only = list.first?.stringValue else { throw prompt.error("must be one text") }
            text = only
        } else {
            text = try prompt.string(bytes: 1...1 << 20)
        }
        messages = [Message(role: "prompt", content: text)]
        (model, temperature, topP) = try Self.common(fields)
        maximumTokens = try Self.limit(fields)
        stop = try Self.stops(fields)
        seed = try fields.optionalInt("seed")
        stream = try fields.optionalBool("stream") ?? false
        includesUsage = try fields.optionalObject("stream_options")?.optionalBool("include_usage") ?? false
        isStored = try fields.optionalBool("store") ?? true
        options = try AnswerOptions(fields, isChat: false)
    }

    /// A request to embed texts: what is counted and kept of it.
    init(embedding json: JSONValue) throws {
        let fields = try json.object()
        let input = try fields.field("input")
        if input.value.arrayValue != nil {
            for text in try input.array(count: 1...2_048) where text.value.intValue == nil && text.value.arrayValue == nil {
                _ = try text.string(bytes: 1...1 << 20)
            }
        } else {
            _ = try input.string(bytes: 1...1 << 20)
        }
        messages = [Message(role: "prompt", content: String(decoding: JSON.write(input.value), as: UTF8.self))]
        model = try fields.string("model", bytes: 1...200)
        (temperature, topP, maximumTokens) = (1, 1, 0)
        (stop, seed, stream, includesUsage, isStored) = ([], nil, false, false, true)
        options = AnswerOptions()
    }

    private static func common(_ fields: JSONFields) throws -> (String, Double, Double) {
        if let count = try fields.optionalInt("n"), count != 1 { throw try fields.field("n").error("must be 1 here") }
        return (
            try fields.string("model", bytes: 1...200), try fields.optionalDouble("temperature", in: 0...2) ?? 1,
            try fields.optionalDouble("top_p", in: 0...1) ?? 1
        )
    }

    private static func limit(_ fields: JSONFields) throws -> Int {
        try fields.optionalInt("max_completion_tokens", in: 1...mostTokens) ?? fields.optionalInt("max_tokens", in: 1...mostTokens)
            ?? defaultTokens
    }

    private static func stops(_ fields: JSONFields) throws -> [String] {
        guard let field = fields.optionalField("stop") else { return [] }
        if field.value.stringValue != nil { return [try field.string(bytes: 1...200)] }
        return try field.array(count: 0...4).map { try $0.string(bytes: 1...200) }
    }

    /// A message's content: a text, or parts of which each is a text.
    private static func text(_ field: JSONField) throws -> String {
        guard field.value.arrayValue != nil else { return try field.string(bytes: 0...1 << 20) }
        return try field.array(count: 1...64).map { part in
            let part = try part.object()
            guard try part.string("type") == "text" else {
                throw try part.field("type").error("must be text: this model reads nothing else")
            }
            return try part.string("text", bytes: 0...1 << 20)
        }.joined(separator: "\n")
    }

    /// What a message says of calls.
    private static func tools(_ message: JSONFields, _ role: String) throws -> [(String, JSONValue)] {
        if role == "tool", let field = message.optionalField("tool_call_id") {
            return [("tool_call_id", .string(try field.string(bytes: 1...200)))]
        }
        guard role == "assistant", let field = message.optionalField("tool_calls"), !field.value.isNull else { return [] }
        let calls = try field.array(count: 1...ToolCalls.maximumCount).map { entry -> JSONValue in
            let call = try entry.object()
            let function = try call.object("function")
            return [
                "id": .string(try call.string("id", bytes: 1...200)), "type": "function",
                "function": [
                    "name": .string(try function.string("name", bytes: 1...64)),
                    "arguments": .string(try function.string("arguments", bytes: 0...1 << 20)),
                ],
            ]
        }
        return [("tool_calls", .array(calls))]
    }

    /// Whether it is a conversation, rather than a text to go on from.
    var isChat: Bool { messages.first?.role != "prompt" }

    /// Bytes of all texts, and of the tools that are described.
    var promptBytes: Int { messages.reduce(options.toolBytes) { $0 + $1.bytes } }

    /// The messages as they are sent on.
    var messagesJSON: JSONValue { .array(messages.map(\.json)) }

    /// All that the model is asked by, as it is kept: the messages, and where the request had tools or a form of answer, these beside them.
    var kept: JSONValue {
        options.read.isEmpty ? messagesJSON : .object(JSONObject([("messages", messagesJSON)] + options.read))
    }
}
