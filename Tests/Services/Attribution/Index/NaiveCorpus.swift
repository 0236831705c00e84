import AttributionDomain

/// The same answers as an index, by looking everywhere.
struct NaiveCorpus {
    var items: [(id: String, words: [[UInt8]])] = []

    static func words(_ text: String) -> [[UInt8]] { words(Array(text.utf8)) }

    static func words(_ text: [UInt8]) -> [[UInt8]] {
        var words: [[UInt8]] = []
        text.withUnsafeBytes { raw in WordTokenizer.forEachWord(in: raw) { words.append(Array(text[$0])) } }
        return words
    }

    func occurrences(_ query: ArraySlice<[UInt8]>) -> [(item: String, word: Int)] {
        var found: [(String, Int)] = []
        guard !query.isEmpty else { return found }
        for item in items where item.words.count >= query.count {
            for start in 0...item.words.count - query.count
            where item.words[start..<start + query.count].elementsEqual(query) {
                found.append((item.id, start))
            }
        }
        return found
    }

    func matchLengths(_ query: [[UInt8]]) -> [Int] {
        query.indices.map { start in
            var best = 0
            for item in items {
                for place in item.words.indices {
                    var length = 0
                    while start + length < query.count, place + length < item.words.count,
                        query[start + length] == item.words[place + length]
                    {
                        length += 1
                    }
                    best = max(best, length)
                }
            }
            return best
        }
    }

    func maximalSpans(_ query: [[UInt8]], minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch] {
        var spans: [SpanMatch] = []
        // By definition: it occurs, and neither with one word more at its start nor with one more at its end.
        for start in query.indices {
            for end in start + 1..<query.count + 1 where end - start >= minimumTokens {
                let found = occurrences(query[start..<end])
                guard !found.isEmpty else { break }
                if start > 0, !occurrences(query[start - 1..<end]).isEmpty { continue }
                if end < query.count, !occurrences(query[start..<end + 1]).isEmpty { continue }
                let items = Set(found.map(\.item)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                spans.append(
                    SpanMatch(
                        start: start, length: end - start, occurrences: found.count, items: found.count <= occurrenceLimit ? items : []))
            }
        }
        return spans
    }
}
