public import Crypto

/// What finds the spans of a text that occur in a corpus. Its answer depends on the corpus's items alone, not on how they are laid out.
public protocol SpanSource: Sendable {
    /// The root of the snapshot whose items are searched.
    var snapshotRoot: Digest { get }

    /// The maximal spans of at least `minimumTokens` words, by ascending start; the items of those that occur at most
    /// `occurrenceLimit` times.
    func maximalSpans(of text: WordSequence, minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch]
}
