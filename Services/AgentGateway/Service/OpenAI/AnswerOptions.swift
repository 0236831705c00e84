internal import JSON

/// How tokens are chosen and told, beyond what every request says.
struct AnswerOptions: Sendable {
    /// What every server is sent that answers, our own included.
    private(set) var members: [(String, JSONValue)] = []
    /// What our own model server does not do, and others may.
    private(set) var foreign: [(String, JSONValue)] = []
    /// The bytes of the tools' descriptions, which the model reads as well.
    private(set) var toolBytes = 0

    /// What of it the model reads: the tools' descriptions and the form that its answer is to have.
    var read: [(String, JSONValue)] { foreign.filter { ["tools", "response_format"].contains($0.0) } }

    /// None.
    init() {}

    /// Reads them from a request.
    /// - Throws: `JSONFieldError` that names the one that is out of range, or that the gateway can't carry.
    init(_ fields: JSONFields, isChat: Bool) throws {
        for (name, range) in Self.numbers {
            if let number = try fields.optionalDouble(name, in: range) { members.append((name, .double(number))) }
        }
        if let count = try fields.optionalInt("top_k", in: 0...100_000) { members.append(("top_k", .int(Int64(count)))) }
        if isChat {
            let isWanted = try fields.optionalBool("logprobs") ?? false
            if let count = try fields.optionalInt("top_logprobs", in: 0...20) {
                guard isWanted else { throw try fields.field("top_logprobs").error("needs logprobs") }
                members.append(("top_logprobs", .int(Int64(count))))
            }
            if isWanted { members.append(("logprobs", true)) }
        } else if let count = try fields.optionalInt("logprobs", in: 0...5) {
            members.append(("logprobs", .int(Int64(count))))
        }
        if let bias = fields.optionalField("logit_bias"), let object = bias.value.objectValue, !object.members.isEmpty {
            foreign.append(("logit_bias", bias.value))
        }
        if let format = fields.optionalField("response_format"), format.value["type"]?.stringValue != "text" {
            foreign.append(("response_format", format.value))
        }
        try readTools(fields, isChat: isChat)
    }

    /// Functions that the model may ask the caller to call: what servers are sent that know them.
    private mutating func readTools(_ fields: JSONFields, isChat: Bool) throws {
        if let field = fields.optionalField("functions"), field.value.arrayValue?.isEmpty == false {
            throw field.error("is not offered: name them as tools")
        }
        guard let field = fields.optionalField("tools"), field.value.arrayValue?.isEmpty != true else { return }
        guard isChat else { throw field.error("are for conversations") }
        for tool in try field.array(count: 1...ToolCalls.maximumCount) {
            let tool = try tool.object()
            guard try tool.string("type") == "function" else { throw try tool.field("type").error("must be function") }
            _ = try tool.object("function").string("name", bytes: 1...64)
        }
        foreign.append(("tools", field.value))
        toolBytes = JSON.write(field.value).count
        if let choice = fields.optionalField("tool_choice") {
            if choice.value.objectValue == nil, !["none", "auto", "required"].contains(try choice.string(bytes: 1...20)) {
                throw choice.error("must be none, auto, required or a function")
            }
            foreign.append(("tool_choice", choice.value))
        }
        if let isParallel = try fields.optionalBool("parallel_tool_calls") { foreign.append(("parallel_tool_calls", .bool(isParallel))) }
    }

    private static let numbers: [(String, ClosedRange<Double>)] = [
        ("frequency_penalty", -2...2), ("presence_penalty", -2...2), ("repetition_penalty", 0.01...100),
    ]
}
