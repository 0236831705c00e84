/// A maximal span of a text that occurs word for word in the corpus: it can be made longer on neither side.
public struct SpanMatch: Sendable, Hashable {
    /// Where it begins in the text, in words.
    public let start: Int
    /// How many words it has.
    public let length: Int
    /// How often it occurs in the items that have not been removed.
    public let occurrences: Int
    /// The items it occurs in, by ascending id; empty where it occurs more often than the caller's limit.
    public let items: [String]

    /// The words of the text that it covers.
    public var words: Range<Int> { start..<start + length }

    /// Takes a match apart from any index.
    public init(start: Int, length: Int, occurrences: Int, items: [String]) {
        self.start = start
        self.length = length
        self.occurrences = occurrences
        self.items = items
    }
}
