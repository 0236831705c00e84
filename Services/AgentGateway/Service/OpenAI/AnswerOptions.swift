internal import JSON

/// How tokens are chosen and told, beyond what every request says.
struct AnswerOptions: Sendable {
    /// What every server is sent that answers, our own included.
    private(set) var members: [(String, JSONValue)] = []
    /// What our own model server does not do, and others may.
    private(set) var foreign: [(String, JSONValue)] = []

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
        for name in ["tools", "functions"] {
            guard let field = fields.optionalField(name), let list = field.value.arrayValue, !list.isEmpty else { continue }
            throw field.error("is not offered: the answers are texts")
        }
    }

    private static let numbers: [(String, ClosedRange<Double>)] = [
        ("frequency_penalty", -2...2), ("presence_penalty", -2...2), ("repetition_penalty", 0.01...100),
    ]
}
