/// A place in a text where a secret or personal data stands. It names the kind, never the thing.
public struct SecretFinding: Sendable, Hashable {
    /// What was found.
    public let code: ReasonCode
    /// Bytes of the text.
    public let range: Range<Int>
}
