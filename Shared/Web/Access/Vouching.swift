public import Identity

/// A principal that an issuer may speak for besides itself, and what it may let that one do.
public struct Vouching: Sendable, Hashable {
    /// The principal's id.
    public let subject: String
    /// What it is.
    public let kind: Caller.Kind
    /// The most that it may do; what a token claims beyond it does not count.
    public let scopes: Set<String>

    /// A line of the table.
    public init(subject: String, kind: Caller.Kind, scopes: Set<String>) {
        self.subject = subject
        self.kind = kind
        self.scopes = scopes
    }
}
