/// The bounds of what attribution takes in.
public enum AttributionLimits {
    /// The longest answer or prompt in bytes.
    public static let answerBytes = 4 << 20
    /// The most retrieved passages of one answer.
    public static let passages = 256
    /// The most occurrences of one span that are looked at; a span that occurs more often is boilerplate.
    public static let occurrences = 10_000
    /// The most owners that one result shares among.
    public static let owners = 1_000_000
}
