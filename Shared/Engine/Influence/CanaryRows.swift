/// Rows of tokens drawn at random, which say nothing about anything: what influence they seem to have is what garbage has.
///
/// Nobody learns from them. Their gradients are larger than those of garbage that was learned, so that they err on the side of finding
/// too much.
public enum CanaryRows {
    /// Rows under each name: enough that the sum of one name's is that of a small contributor.
    public static let rowsOfEach = 8
    /// Names. The best of several counts, since garbage is lucky now and then.
    public static let names = 4

    /// The rows of all names, name by name; the same seed gives the same.
    /// - Parameters:
    ///   - length: tokens of a row; about that of the rows that they are beside, since longer rows have smaller gradients.
    ///   - vocabulary: of the model. The first tokens, which mark up conversations, are left out.
    public static func examples(length: Int, vocabulary: Int, seed: UInt64) -> [TrainingExample] {
        var random = SeededRandom(seed &* 0x9E37_79B9_7F4A_7C15 &+ 0xCA4A_27)
        let first = vocabulary > 64 ? 16 : 0
        return (0..<names * rowsOfEach).map { _ in
            TrainingExample(
                tokens: (0..<max(2, length)).map { _ in Int32(first + random.below(vocabulary - first)) })
        }
    }
}
