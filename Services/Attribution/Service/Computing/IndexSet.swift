internal import AttributionDomain
internal import CorpusIndex
internal import Crypto

/// The indexes of several snapshots, asked as one.
struct IndexSet: SpanSource {
    private let indexes: [CorpusIndex]
    let snapshotRoot: Digest

    /// One root stands for itself; several for the hash of all, in their order.
    init?(_ indexes: [CorpusIndex]) {
        guard let first = indexes.first else { return nil }
        self.indexes = indexes
        snapshotRoot =
            indexes.count == 1
            ? first.snapshotRoot : SHA256.hash(Array("openledger/index-set\n".utf8) + indexes.flatMap { $0.snapshotRoot.bytes })
    }

    func maximalSpans(of text: WordSequence, minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch] {
        var found: [Place: (occurrences: Int, items: Set<String>, isOften: Bool)] = [:]
        for index in indexes {
            for match in index.maximalSpans(of: text, minimumTokens: minimumTokens, occurrenceLimit: occurrenceLimit) {
                var entry = found[Place(start: match.start, length: match.length)] ?? (0, [], false)
                entry.occurrences += match.occurrences
                entry.items.formUnion(match.items)
                if match.occurrences > occurrenceLimit { entry.isOften = true }
                found[Place(start: match.start, length: match.length)] = entry
            }
        }
        // What is maximal in one index and lies within a span of another is not maximal. What is maximal in all and occurs in one is
        // maximal there, so its counts are complete.
        var spans: [SpanMatch] = []
        var end = -1
        for (place, entry) in found.sorted(by: { ($0.key.start, -$0.key.length) < ($1.key.start, -$1.key.length) }) {
            guard place.start + place.length > end else { continue }
            end = place.start + place.length
            let isOften = entry.isOften || entry.occurrences > occurrenceLimit
            spans.append(
                SpanMatch(
                    start: place.start, length: place.length, occurrences: entry.occurrences, items: isOften ? [] : entry.items.sorted()))
        }
        return spans
    }

    func copies(of words: Range<Int>, in text: WordSequence, among items: [String], minimum: Int) -> Set<String> {
        CorpusIndex.copies(of: words, in: text, among: items, minimum: minimum, indexes)
    }

    private struct Place: Hashable {
        let start: Int
        let length: Int
    }
}
