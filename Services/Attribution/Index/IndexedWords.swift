public import AttributionDomain

/// The items of an index as words, by their hashes under the index's key; and which of them first had a run of words.
public struct IndexedWords {
    private struct Place {
        let part: Int
        let item: Int
    }

    /// A run of words: where it stands among a segment's sorted suffixes.
    private struct Run: Hashable {
        let part: Int
        let rank: Int
        let length: Int
        let isWhole: Bool
    }

    private let index: CorpusIndex
    private var places: [String: Place] = [:]
    /// The number that each item was given, by segment; the largest for those that were given none.
    private var numbers: [[Int32]]
    /// The segments that have an item with a number: no other is asked who had something first.
    private var numbered: Set<Int> = []
    /// What was found of a run before: a phrase of every page is looked up once.
    private var known: [Run: Int32] = [:]

    /// Looks into an index.
    public init(_ index: CorpusIndex) {
        self.index = index
        numbers = index.parts.map { [Int32](repeating: .max, count: $0.segment.items) }
        for (part, segment) in index.parts.enumerated() {
            for item in 0..<segment.segment.items where !segment.removed.contains(item: item) {
                places[segment.segment.id(of: item)] = Place(part: part, item: item)
            }
        }
    }

    /// Whether the index has an item.
    public func contains(_ id: String) -> Bool { places[id] != nil }

    /// The words of an item; nil where the index does not have it.
    public func words(of id: String) -> [WordHash]? {
        guard let place = places[id] else { return nil }
        let segment = index.parts[place.part].segment
        return segment.positions(of: place.item).map { position in
            let hash = segment.hash(of: segment.symbol(at: position))
            return WordHash(high: hash.high, low: UInt64(hash.low))
        }
    }

    /// Gives items numbers, from 0 on: the order in which they came.
    public mutating func number(_ ids: [String]) {
        for (number, id) in ids.enumerated() {
            guard let place = places[id] else { continue }
            numbers[place.part][place.item] = Int32(number)
            numbered.insert(place.part)
        }
    }

    /// For each run of `length` words, the least number of an item that has it; nil where none with a number has. Of fewer words than
    /// that, all of them are the run, and only an item of as many has it.
    public mutating func first(_ words: [WordHash], length wanted: Int) -> [Int?] {
        let length = min(wanted, words.count)
        guard length > 0 else { return [] }
        var found = [Int?](repeating: nil, count: words.count - length + 1)
        for number in numbered.sorted() {
            let query = SegmentQuery(index.parts[number], hashes: words)
            query.forEachRun(of: length) { start, rank in
                let run = Run(part: number, rank: rank, length: length, isWhole: words.count < wanted)
                let least = known[run] ?? least(query, query.ranks(start..<start + length), run)
                known[run] = least
                if least != .max { found[start] = min(found[start] ?? Int(least), Int(least)) }
            }
        }
        return found
    }

    private func least(_ query: SegmentQuery, _ ranks: Range<Int>, _ run: Run) -> Int32 {
        var least = Int32.max
        query.forEachOccurrence(in: ranks) { position in
            let item = query.segment.item(at: position)
            if !run.isWhole || query.segment.positions(of: item).count == run.length { least = min(least, numbers[run.part][item]) }
            return least > 0
        }
        return least
    }
}
