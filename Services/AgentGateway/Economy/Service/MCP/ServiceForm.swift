internal import Events
internal import JSON

/// What a service wants to be told, as a tool's arguments: its own schema's members beside those of hiring, or its whole input in the
/// member `input` where the schema is more than a plain list of members; a text where there is no schema.
struct ServiceForm: Sendable {
    /// JSON Schema of all arguments.
    let schema: JSONValue
    private let input: JSONValue?
    private let isWrapped: Bool

    private static let text: JSONValue = ["type": "string", "minLength": 1, "maxLength": 65_536, "description": "What shall be done."]
    /// What an object's schema may say and still be joined with members of ours.
    private static let plain: Set<String> = [
        "type", "properties", "required", "additionalProperties", "title", "description", "$defs", "definitions", "$schema", "examples",
    ]

    /// - Parameter input: the listing's schema of what goes in.
    init(_ input: JSONValue?) {
        let input = input.map(Self.cleaned)
        self.input = input
        guard let input, let listed = input.objectValue else {
            isWrapped = false
            schema = Self.joined(JSONObject([("brief", Self.text)]), ["brief"], [("additionalProperties", false)])
            return
        }
        let members = listed["properties"]?.objectValue ?? JSONObject()
        let isPlain =
            listed["type"]?.stringValue == "object" && listed.keys.allSatisfy(Self.plain.contains)
            && !members.keys.contains(where: ServiceTools.Argument.all.contains)
        isWrapped = !isPlain
        if isPlain {
            let rest = listed.members.filter { !["type", "properties", "required"].contains($0.key) }.map { ($0.key, $0.value) }
            schema = Self.joined(members, (listed["required"]?.arrayValue ?? []).compactMap(\.stringValue), rest)
        } else {
            schema = Self.joined(JSONObject([("input", input)]), ["input"], [("additionalProperties", false)])
        }
    }

    private static func joined(_ members: JSONObject, _ required: [String], _ rest: [(String, JSONValue)]) -> JSONValue {
        func text(_ most: Int64, _ meaning: String) -> JSONValue {
            ["type": "string", "minLength": 1, "maxLength": .int(most), "description": .string(meaning)]
        }
        let own: [(String, JSONValue)] = [
            (ServiceTools.Argument.key, text(100, "Your own name for this command: the same again hires nothing more.")),
            (ServiceTools.Argument.most, text(39, "The most minor units that it may cost, as text: refused when the price is higher.")),
            (ServiceTools.Argument.mandate, text(200, "The mandate that pays, where there are several.")),
            (ServiceTools.Argument.approval, text(200, "A human's word, where the amount needs one.")),
        ]
        let head: [(String, JSONValue)] = [
            ("type", "object"), ("properties", .object(JSONObject(members.members.map { ($0.key, $0.value) } + own))),
            ("required", .texts(required + [ServiceTools.Argument.key])),
        ]
        return .object(JSONObject(head + rest))
    }

    /// Without what would have clients copy arguments into header fields (`x-mcp-header`), which is not a stranger's to ask for.
    private static func cleaned(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .array(let list): .array(list.map(cleaned))
        case .object(let object):
            .object(JSONObject(object.members.filter { $0.key != "x-mcp-header" }.map { ($0.key, cleaned($0.value)) }))
        default: schema
        }
    }

    /// The brief that arguments make: the text, or what the schema asks for as canonical JSON.
    /// - Throws: `JSONFieldError` for what the schema does not allow.
    func brief(_ fields: JSONFields) throws -> String {
        guard let input else {
            try fields.refuseUnknown(keys: ["brief"] + ServiceTools.Argument.all)
            return try fields.string("brief", bytes: 1...65_536)
        }
        if isWrapped { try fields.refuseUnknown(keys: ["input"] + ServiceTools.Argument.all) }
        let given =
            isWrapped
            ? try fields.field("input")
            : JSONField(
                .object(
                    JSONObject(
                        fields.object.members.filter { !ServiceTools.Argument.all.contains($0.key) }.map { ($0.key, $0.value) })))
        try SchemaCheck.check(given.value, input, at: given.pointer)
        let text = String(decoding: try JSON.canonical(given.value), as: UTF8.self)
        guard text.utf8.count <= 65_536 else { throw given.error("must have at most 65536 bytes") }
        return text
    }
}
