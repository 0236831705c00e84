extension Segment {
    /// The search for where a pattern would stand among the suffixes. The pattern has eight readable bytes after its end, and no symbol in it
    /// ends an item.
    struct Search {
        let pattern: UnsafeRawPointer
        /// Bytes of the pattern.
        let length: Int
        /// The last rank below the pattern and the first that is not, as far as is known; at the end they are neighbours.
        fileprivate(set) var left = 0
        fileprivate(set) var right = 0
        /// How many bytes of the pattern each of the two shares; 0 beyond ``bounds``.
        fileprivate(set) var below = 0
        fileprivate(set) var above = 0
        /// The ranks that the pattern's first symbol bounds.
        fileprivate(set) var bounds = 0..<0
        fileprivate var position = 0
        fileprivate var word: UInt64 = 0

        init(_ pattern: UnsafeRawPointer, _ length: Int) {
            self.pattern = pattern
            self.length = length
        }
    }

    /// How many searches go on side by side: a step of each waits for memory twice, and the waits of different searches overlap.
    static let together = 16

    /// Ends some searches.
    func end(_ searches: inout [Search]) {
        searches.withUnsafeMutableBufferPointer { all in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: all.count) { active in
                var count = 0
                for index in all.indices where begin(&all[index]) {
                    active[count] = index
                    count += 1
                }
                while count > 0 {
                    // Reads that do not hang on one another come first, comparisons after.
                    for place in 0..<count {
                        let index = active[place]
                        all[index].position = position((all[index].left + all[index].right) >> 1)
                    }
                    for place in 0..<count {
                        let index = active[place]
                        all[index].word = word(at: all[index].position, min(all[index].below, all[index].above))
                    }
                    var left = 0
                    for place in 0..<count where step(&all[active[place]]) {
                        active[left] = active[place]
                        left += 1
                    }
                    count = left
                }
                for index in all.indices { finish(&all[index]) }
            }
        }
    }

    /// - Returns: whether there is anything to search.
    @inline(__always)
    private func begin(_ search: inout Search) -> Bool {
        search.bounds = bounds(search.pattern)
        search.left = search.bounds.lowerBound - 1
        search.right = search.bounds.upperBound
        (search.below, search.above) = (width, width)
        return search.right - search.left > 1
    }

    /// Halves what is left, by the suffix whose position and first bytes were read.
    /// - Returns: whether there is more to do.
    @inline(__always)
    private func step(_ search: inout Search) -> Bool {
        var offset = min(search.below, search.above)
        var (lcp, isBelow) = (search.length, false)
        var other = search.word
        while offset < search.length {
            let own = UInt64(bigEndian: (search.pattern + offset).loadUnaligned(as: UInt64.self))
            if own != other {
                lcp = offset &+ (own ^ other).leadingZeroBitCount >> 3
                isBelow = lcp < search.length && other < own
                lcp = min(lcp, search.length)
                break
            }
            offset &+= 8
            if offset < search.length { other = word(at: search.position, offset) }
        }
        let middle = (search.left + search.right) >> 1
        if isBelow {
            search.left = middle
            search.below = lcp
        } else {
            search.right = middle
            search.above = lcp
        }
        return search.right - search.left > 1
    }

    private func finish(_ search: inout Search) {
        if search.left < search.bounds.lowerBound { search.below = 0 }
        if search.right == search.bounds.upperBound { search.above = 0 }
    }
}
