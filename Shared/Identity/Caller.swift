/// Who asks, as a verified token or API key says: what authorisation decides upon.
public struct Caller: Sendable, Hashable, CustomStringConvertible {
    /// What a principal is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A human being.
        case person
        /// A group that acts as one.
        case organisation
        /// A program that acts for a person or an organisation.
        case agent
        /// A service of this system; it vouches for itself, so its issuer is itself.
        case service
    }

    /// The principal's id, unique within the issuer.
    public let subject: String
    /// Who vouches for it.
    public let issuer: String
    /// What it is.
    public let kind: Kind
    /// What it may do.
    public let scopes: Set<String>
    /// The id of the API key that it showed, where such keys have one.
    public let key: String?

    /// A caller that somebody has verified.
    public init(subject: String, issuer: String, kind: Kind, scopes: Set<String> = [], key: String? = nil) {
        self.subject = subject
        self.issuer = issuer
        self.kind = kind
        self.scopes = scopes
        self.key = key
    }

    /// Whether the caller may do what the scope names.
    public func has(_ scope: String) -> Bool { scopes.contains(scope) }

    /// Kind, subject and issuer.
    public var description: String { "\(kind.rawValue) \(subject) of \(issuer)" }
}
