public import Crypto

/// What finds the spans of a text that occur in a corpus. Its answer depends on the corpus's items alone, not on how they are laid out.
public protocol SpanSource: Sendable {
    /// The root of the snapshot whose items are searched.
    var snapshotRoot: Digest { get }

    /// The maximal spans of at least `minimumTokens` words, by ascending start; the items of those that occur at most
    /// `occurrenceLimit` times.
    func maximalSpans(of text: WordSequence, minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch]

    /// Which of some items, all of which have these words of a text, have them from an earlier one of the list.
    ///
    /// - Parameters:
    ///   - items: in the order of precedence.
    ///   - minimum: an item copies an earlier one there when around the words they have so many in common, or all that the earlier one has.
    func copies(of words: Range<Int>, in text: WordSequence, among items: [String], minimum: Int) -> Set<String>
}
