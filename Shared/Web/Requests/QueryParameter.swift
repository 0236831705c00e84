/// A query parameter that a route takes. What is not declared is refused, so a misspelt filter never shows everything.
public struct QueryParameter: Sendable {
    /// The name in the query.
    public let name: String
    /// What values it takes; each is checked before the handler runs.
    public let schema: Schema
    /// What it does, for the OpenAPI document.
    public let summary: String
    /// Whether a request without it is refused.
    public let isRequired: Bool
    /// Whether it may come more than once.
    public let isRepeated: Bool

    /// - Parameter schema: a string, integer or boolean.
    public init(_ name: String, _ schema: Schema, _ summary: String, required: Bool = false, repeated: Bool = false) {
        self.name = name
        self.schema = schema
        self.summary = summary
        isRequired = required
        isRepeated = repeated
    }
}
