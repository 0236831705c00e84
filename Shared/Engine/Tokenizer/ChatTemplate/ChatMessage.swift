public import JSON

/// One message of a conversation.
public struct ChatMessage: Sendable, Hashable {
    /// Who speaks: `system`, `user`, `assistant`, `tool`.
    public let role: String
    /// What is said.
    public let content: String
    /// Other members that a template may ask for: `tool_calls`, `name`.
    public let others: JSONObject

    /// A message by its parts.
    public init(role: String, content: String, others: JSONObject = JSONObject()) {
        self.role = role
        self.content = content
        self.others = others
    }
}
