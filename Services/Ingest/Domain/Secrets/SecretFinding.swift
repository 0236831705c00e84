/// A place in a text where a secret or personal data stands. It names the kind, never the thing.
public struct SecretFinding: Sendable, Hashable {
    /// What was found.
    public let code: ReasonCode
    /// Bytes of the text.
    public let range: Range<Int>
    /// `title`, `source`, `author` or `licence`, where it stands in one of these; nil for the text that is screened.
    public let field: String?

    init(code: ReasonCode, range: Range<Int>, field: String? = nil) {
        self.code = code
        self.range = range
        self.field = field
    }
}
