/// How long an answer can take, from its request to the log. A hold outlives both; the audit knows by both bounds when an answer of
/// a model that is retired meanwhile can't be honest any more.
public enum InferenceBounds {
    /// The longest that an answer is talked.
    public static let answer = Duration.seconds(840)
    /// The longest that is then tried to put it on the log.
    public static let recording = Duration.seconds(300)
    /// How far the clocks of two services may be apart, for who compares their times.
    public static let clocks = Duration.seconds(60)
}
