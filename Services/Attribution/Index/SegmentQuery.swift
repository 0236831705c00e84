internal import AttributionDomain

/// A text in the symbols of one segment, ready to be searched for there.
struct SegmentQuery {
    let segment: Segment
    let removed: Removed
    /// The symbols, big-endian, and eight bytes more.
    private let bytes: [UInt8]
    let count: Int

    /// Takes words by their hashes.
    init(_ part: LiveSegment, hashes: [WordHash]) {
        self.init(part, symbols: hashes.map { part.segment.symbol(high: $0.high, low: UInt32(truncatingIfNeeded: $0.low)) })
    }

    /// Takes symbols as they are; those the segment cannot have are unknown.
    init(_ part: LiveSegment, symbols: [UInt32]) {
        segment = part.segment
        removed = part.removed
        count = symbols.count
        let width = segment.width
        let unknown = segment.layout.unknown
        let words = segment.layout.words
        bytes = [UInt8](unsafeUninitializedCapacity: symbols.count * width + 8) { buffer, filled in
            var offset = 0
            for symbol in symbols {
                let value = Int(symbol) < words ? symbol : unknown
                var shift = UInt32(8 * width)
                while shift > 0 {
                    shift -= 8
                    buffer[offset] = UInt8(truncatingIfNeeded: value >> shift)
                    offset += 1
                }
            }
            for _ in 0..<8 {
                buffer[offset] = 0
                offset += 1
            }
            filled = offset
        }
    }

    /// The ranks, removed ones among them, of the suffixes that begin with these words of the text.
    func ranks(_ words: Range<Int>) -> Range<Int> {
        bytes.withUnsafeBytes { raw in
            raw.baseAddress.map { segment.interval($0 + words.lowerBound * segment.width, words.count * segment.width) } ?? 0..<0
        }
    }

    /// How often these words of the text occur.
    func occurrences(_ words: Range<Int>) -> Int {
        guard !words.isEmpty else { return 0 }
        let ranks = ranks(words)
        return ranks.count - removed.count(in: ranks)
    }

    /// Raises `lengths[i]` to the length of the longest run of words from i on that the segment has.
    func raiseMatchLengths(_ lengths: inout [Int]) {
        let width = segment.width
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress else { return }
            for first in stride(from: 0, to: count, by: Segment.together) {
                let starts = first..<min(count, first + Segment.together)
                var searches = starts.map { Segment.Search(base + $0 * width, (count - $0) * width) }
                segment.end(&searches)
                for (start, search) in zip(starts, searches) { lengths[start] = max(lengths[start], longest(search) / width) }
            }
        }
    }

    /// Calls `body` for each run of so many words that the segment has, removed items' among them: with where it starts, and the first rank
    /// of those that begin with it.
    func forEachRun(of words: Int, _ body: (Int, Int) -> Void) {
        let width = segment.width
        let length = words * width
        bytes.withUnsafeBytes { raw in
            guard let base = raw.baseAddress, words > 0, count >= words else { return }
            let last = count - words
            for first in stride(from: 0, through: last, by: Segment.together) {
                let starts = first..<min(last + 1, first + Segment.together)
                var searches = starts.map { Segment.Search(base + $0 * width, length) }
                segment.end(&searches)
                for (start, search) in zip(starts, searches) where search.above >= length { body(start, search.right) }
            }
        }
    }

    private func longest(_ search: Segment.Search) -> Int {
        guard !removed.isEmpty, !search.bounds.isEmpty else { return max(search.below, search.above) }
        // The longest match is with the nearest suffix on either side; of those that are left, with the nearest of them.
        var best = 0
        let left = removed.live(to: search.left)
        if left >= search.bounds.lowerBound {
            best = left == search.left ? search.below : segment.shared(search.pattern, search.length, rank: left)
        }
        let right = removed.live(from: search.right)
        if right < search.bounds.upperBound {
            best = max(best, right == search.right ? search.above : segment.shared(search.pattern, search.length, rank: right))
        }
        return best
    }

    /// Calls `body` with the position of each occurrence, in the order of ranks, until it answers false.
    func forEachOccurrence(in ranks: Range<Int>, _ body: (Int) -> Bool) {
        var rank = ranks.lowerBound
        while rank < ranks.upperBound {
            rank = removed.live(from: rank)
            guard rank < ranks.upperBound, body(segment.position(rank)) else { return }
            rank += 1
        }
    }
}

/// A segment without its removed items.
struct LiveSegment: Sendable {
    let segment: Segment
    let removed: Removed
}
