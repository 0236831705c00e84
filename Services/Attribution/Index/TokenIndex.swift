public import AttributionDomain
internal import Crypto

/// One segment over a model's own token numbers: what an n-gram model or a comparison with other engines asks.
public final class TokenIndex: Sendable {
    private let part: LiveSegment
    /// The file's size in bytes.
    public let bytes: Int

    /// Builds a segment of items, each an id and its tokens below `vocabulary`, and writes it to a file.
    ///
    /// - Returns: the hash of the file as text.
    @discardableResult
    public static func build(
        items: some Sequence<(id: String, tokens: [UInt32])>, vocabulary: Int, to path: String
    ) throws(CorpusIndexError) -> String {
        var tokens: [UInt32] = []
        var ids: [String] = []
        for item in items {
            tokens += item.tokens
            tokens.append(TokenStream.end)
            ids.append(item.id)
        }
        return try SegmentWriter.write(tokens: tokens, ids: ids, vocabulary: vocabulary, to: path).digest.description
    }

    /// Maps a file that `build` wrote.
    public init(path: String) throws(CorpusIndexError) {
        let segment = try Segment(MappedFile(path: path))
        part = LiveSegment(segment: segment, removed: .none)
        bytes = segment.file.count
    }

    /// How often these tokens occur one after another.
    public func count(_ tokens: [UInt32]) -> Int { SegmentQuery(part, symbols: tokens).occurrences(0..<tokens.count) }

    /// For each token, how many from there on occur one after another.
    public func matchLengths(_ tokens: [UInt32]) -> [Int] {
        CorpusIndex.lengths([SegmentQuery(part, symbols: tokens)], count: tokens.count)
    }

    /// The maximal spans, with the items of at most `itemLimit` occurrences of each. See `SpanSource`.
    public func maximalSpans(_ tokens: [UInt32], minimumTokens: Int, occurrenceLimit: Int, itemLimit: Int = .max) -> [SpanMatch] {
        CorpusIndex.spans(
            [SegmentQuery(part, symbols: tokens)], count: tokens.count, minimumTokens: minimumTokens, occurrenceLimit: occurrenceLimit,
            itemLimit: itemLimit)
    }
}
