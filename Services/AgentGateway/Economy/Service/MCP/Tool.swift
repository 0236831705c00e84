internal import AgentEconomyDomain
internal import Events
public import Identity
public import JSON
internal import Web

/// Something that a model may call.
struct Tool: Sendable {
    let name: String
    /// For people, where the name is none for them.
    var title: String?
    let description: String
    /// The members of its arguments: name, JSON Schema, whether it must be there.
    let arguments: [(name: String, schema: JSONValue, isRequired: Bool)]
    /// The schema of all its arguments, where they are not said one by one.
    var schema: JSONValue?
    /// The scope that the caller's credential needs.
    let scope: String?
    /// Whether it changes nothing.
    let isReading: Bool
    /// Whether the same call again does nothing more.
    var isIdempotent = false
    /// What programs read of it (`_meta`).
    var meta: JSONValue?
    let call: @Sendable (ToolCall) async throws -> JSONValue

    /// As `tools/list` tells of it.
    var json: JSONValue {
        .members([
            "name": .string(name), "title": title.map { .string($0) }, "description": .string(description),
            "inputSchema": schema ?? [
                "type": "object", "properties": .object(JSONObject(arguments.map { ($0.name, $0.schema) })),
                "required": .texts(arguments.filter(\.isRequired).map(\.name)), "additionalProperties": .bool(false),
            ],
            "annotations": [
                "readOnlyHint": .bool(isReading), "idempotentHint": .bool(isReading || isIdempotent), "openWorldHint": .bool(false),
            ], "_meta": meta,
        ])
    }
}

/// A call of a tool.
struct ToolCall: Sendable {
    let caller: Caller
    let arguments: JSONFields
    let correlation: String
}

/// A question to a model in a caller's name.
public struct ModelQuestion: Sendable {
    /// Who asks.
    public let caller: Caller
    /// The model's name.
    public let model: String
    /// What is asked.
    public let prompt: String
    /// Most tokens of the answer.
    public let maximumTokens: Int
    /// The mandate that pays.
    public let mandate: String?
    /// A human's word for it.
    public let approval: String?
    /// The caller's own name for the question: asked again under it, the first answer is given and nothing more is paid.
    public var key: String?
    /// The trace id.
    public let correlation: String

    /// The answer's id, where the question has a name: it comes of who asks and the name.
    /// - Throws: `Problem` for a name that is none.
    public var inference: String? {
        get throws {
            try key.map { key in
                NamedQuestion.inference(issuer: caller.issuer, subject: caller.subject, key: try IdempotencyKey(key).text)
            }
        }
    }
}

/// Asks a model, and gives the answer with its facts: what it cost, and where it stands on the log.
public typealias AskModel = @Sendable (ModelQuestion) async throws -> JSONValue
