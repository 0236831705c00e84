/// A text cut into words.
public struct WordSequence: Sendable {
    /// The text's bytes, as they were given.
    public let bytes: [UInt8]
    /// Where each word lies in the bytes.
    public let ranges: [Range<Int>]

    /// How many words there are.
    public var count: Int { ranges.count }

    /// Cuts a text into words.
    ///
    /// - Throws: `AttributionError.textTooLong` above `limit` bytes: nothing is read of such a text.
    public init(_ bytes: [UInt8], limit: Int = AttributionLimits.answerBytes) throws(AttributionError) {
        guard bytes.count <= limit else { throw .textTooLong(bytes: bytes.count, limit: limit) }
        self.bytes = bytes
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(bytes.count / 4)
        bytes.withUnsafeBytes { WordTokenizer.forEachWord(in: $0) { ranges.append($0) } }
        self.ranges = ranges
    }

    /// Cuts a text into words.
    public init(_ text: String, limit: Int = AttributionLimits.answerBytes) throws(AttributionError) {
        try self.init(Array(text.utf8), limit: limit)
    }

    /// The hash of each word under a key.
    public func hashes(key: WordKey) -> [WordHash] {
        bytes.withUnsafeBytes { all in ranges.map { WordHash(UnsafeRawBufferPointer(rebasing: all[$0]), key: key) } }
    }

    /// The bytes that the words from `start` up to `end` span, white space between them included.
    public func byteRange(_ words: Range<Int>) -> Range<Int> {
        words.isEmpty ? 0..<0 : ranges[words.lowerBound].lowerBound..<ranges[words.upperBound - 1].upperBound
    }
}
