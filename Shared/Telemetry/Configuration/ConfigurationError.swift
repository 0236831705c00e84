/// A setting that cannot be used. Names the key, what was expected, and what was found unless it is a secret.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The full key, `OPENLEDGER_…`, or the file and line.
    public let key: String
    /// What would have been right.
    public let expected: String
    /// What was there; nil when nothing was, or when it must not be shown.
    public let found: String?

    /// Names the culprit.
    public init(key: String, expected: String, found: String? = nil) {
        self.key = key
        self.expected = expected
        self.found = found
    }

    /// A sentence for the person who set it.
    public var description: String {
        if let found { "\(key) must be \(expected), but is \"\(found)\"" } else { "\(key) must be \(expected)" }
    }
}
