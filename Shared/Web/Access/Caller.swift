/// Who makes a request, as its credential proves.
public struct Caller: Sendable, Hashable {
    /// The principal's id: a service's name, a person's or an agent's id. It is an event's `actor`.
    public let principal: String
    /// What the credential allows, such as `log:append`.
    public let scopes: Set<String>

    /// Makes a caller.
    public init(principal: String, scopes: Set<String>) {
        self.principal = principal
        self.scopes = scopes
    }

    /// Whether the credential allows this.
    public func may(_ scope: String) -> Bool { scopes.contains(scope) }
}
