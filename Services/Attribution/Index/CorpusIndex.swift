public import AttributionDomain
public import Crypto
internal import Glibc

/// Where some words occur.
public struct Occurrence: Sendable, Hashable {
    /// The item's id.
    public let item: String
    /// Where in the item they begin, in words.
    public let word: Int
}

/// The suffix arrays of a snapshot's items, mapped into memory: how often, where, and how far any text occurs in them.
///
/// An index is a folder: a manifest with the snapshot's root and the hash of every file, and segments. It holds no text, only keyed hashes
/// of words. What is asked of it does not change while it is open; opening maps files and reads them once to check their hashes, so that
/// it belongs on a thread that may wait.
public final class CorpusIndex: SpanSource {
    /// The root of the snapshot.
    public let snapshotRoot: Digest
    /// The hash of the manifest, and so of all files.
    public let digest: Digest
    /// The bytes of all files but the manifest.
    public let bytes: Int
    /// The segments that a query looks into.
    public var segments: Int { parts.count }
    let parts: [LiveSegment]
    let manifest: Manifest

    /// Whether opening reads every file to check its hash.
    public enum Verification: Sendable {
        /// Every byte of every file, but of those that this process has checked before and that nobody has touched since.
        case hashes
        /// Names, sizes and headers only: for files that this process has just written or checked.
        case headers
    }

    /// Opens the index of a folder.
    ///
    /// - Throws: `CorpusIndexError` that names the file which is missing, damaged, cut short or of another version.
    public init(directory: String, verification: Verification = .hashes) throws(CorpusIndexError) {
        (manifest, digest) = try IndexFolder(path: directory).manifest()
        snapshotRoot = manifest.root
        var parts: [LiveSegment] = []
        var bytes = 0
        for part in manifest.parts {
            let segment = try Segment(Self.map(part.segment, directory, verification))
            var removed = Removed.none
            if let file = part.removed {
                removed = try Removed(Self.map(file, directory, verification), of: segment)
                bytes += file.bytes
            }
            bytes += part.segment.bytes
            parts.append(LiveSegment(segment: segment, removed: removed))
        }
        self.parts = parts
        self.bytes = bytes
    }

    private init(_ other: CorpusIndex, parts: [LiveSegment]) {
        snapshotRoot = other.snapshotRoot
        digest = other.digest
        bytes = other.bytes
        manifest = other.manifest
        self.parts = parts
    }

    /// The same index as if these items had been removed; nothing is written.
    public func without(_ ids: Set<String>) -> CorpusIndex {
        CorpusIndex(
            self,
            parts: parts.map { part in
                let gone = (0..<part.segment.items).filter { !part.removed.contains(item: $0) && ids.contains(part.segment.id(of: $0)) }
                guard !gone.isEmpty else { return part }
                return LiveSegment(
                    segment: part.segment, removed: Removed(items: part.removed.items + gone.map { UInt32($0) }, of: part.segment))
            })
    }

    private static func map(
        _ file: Manifest.File, _ directory: String, _ verification: Verification
    ) throws(CorpusIndexError) -> MappedFile {
        let mapped = try MappedFile(path: directory + "/" + file.name)
        guard mapped.count == file.bytes else {
            throw .corrupt(path: mapped.path, reason: "it has \(mapped.count) bytes and the manifest says \(file.bytes)")
        }
        if case .hashes = verification {
            let found = CheckedFiles.shared.digest(of: mapped)
            guard found == file.hash else {
                throw .corrupt(path: mapped.path, reason: "its hash is \(found) and the manifest says \(file.hash)")
            }
        }
        return mapped
    }

    /// Each item that has not been removed, with its length in words.
    public func items() -> [(id: String, tokens: Int)] {
        parts.flatMap { part in
            (0..<part.segment.items).compactMap { item in
                part.removed.contains(item: item) ? nil : (part.segment.id(of: item), part.segment.positions(of: item).count)
            }
        }
    }

    /// How often the words of a text occur, one after another.
    public func count(_ text: WordSequence) -> Int {
        queries(text).reduce(0) { $0 + $1.occurrences(0..<text.count) }
    }

    /// Where the words of a text occur, by item id and place; at most `limit` of them, which are then any.
    public func locate(_ text: WordSequence, limit: Int = AttributionLimits.occurrences) -> [Occurrence] {
        var found: [Occurrence] = []
        guard text.count > 0 else { return found }
        for query in queries(text) {
            query.forEachOccurrence(in: query.ranks(0..<text.count)) { position in
                guard found.count < limit else { return false }
                let item = query.segment.item(at: position)
                found.append(Occurrence(item: query.segment.id(of: item), word: position - query.segment.start(of: item)))
                return true
            }
        }
        return found.sorted { ($0.item, $0.word) < ($1.item, $1.word) }
    }

    /// For each word of a text, how many words from there on occur one after another in some item (matching statistics; Chang and Lawler,
    /// 1994).
    public func matchLengths(_ text: WordSequence) -> [Int] { Self.lengths(queries(text), count: text.count) }

    /// The maximal spans of a text. See `SpanSource`.
    public func maximalSpans(of text: WordSequence, minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch] {
        Self.spans(queries(text), count: text.count, minimumTokens: minimumTokens, occurrenceLimit: occurrenceLimit)
    }

    /// Which items have some words from an earlier one. See `SpanSource`.
    public func copies(of words: Range<Int>, in text: WordSequence, among items: [String], minimum: Int) -> Set<String> {
        Self.copies(of: words, in: text, among: items, minimum: minimum, [self])
    }

    /// The same over several indexes. Words of two can be compared where both have one key, as those of a Datanet's snapshots have.
    public static func copies(
        of words: Range<Int>, in text: WordSequence, among items: [String], minimum: Int, _ indexes: [CorpusIndex]
    ) -> Set<String> {
        var places = [[CommonRun.Place]](repeating: [], count: items.count)
        let numbers = Dictionary(items.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for index in indexes {
            let hashes = Array(text.hashes(key: index.manifest.key)[words])
            for part in index.parts {
                let query = SegmentQuery(part, hashes: hashes)
                var positions: [Int] = []
                query.forEachOccurrence(in: query.ranks(0..<words.count)) { position in
                    positions.append(position)
                    return true
                }
                // By place and not by rank, so that the same are looked at wherever items lie.
                for position in positions.sorted() {
                    let item = part.segment.item(at: position)
                    guard let number = numbers[part.segment.id(of: item)], places[number].count < CommonRun.mostPlaces else { continue }
                    places[number].append(CommonRun.Place(segment: part.segment, item: item, position: position))
                }
            }
        }
        var originals: [[CommonRun.Place]] = []
        var copies: Set<String> = []
        for (item, own) in zip(items, places) {
            if originals.contains(where: { CommonRun.isCopy(own, of: $0, words: words.count, minimum: minimum) }) {
                copies.insert(item)
            } else if originals.count < CommonRun.mostOriginals {
                originals.append(own)
            }
        }
        return copies
    }

    private func queries(_ text: WordSequence) -> [SegmentQuery] {
        let hashes = text.hashes(key: manifest.key)
        return parts.map { SegmentQuery($0, hashes: hashes) }
    }

    static func lengths(_ queries: [SegmentQuery], count: Int) -> [Int] {
        var lengths = [Int](repeating: 0, count: count)
        for query in queries { query.raiseMatchLengths(&lengths) }
        return lengths
    }

    static func spans(
        _ queries: [SegmentQuery], count: Int, minimumTokens: Int, occurrenceLimit: Int, itemLimit: Int = .max
    ) -> [SpanMatch] {
        let lengths = lengths(queries, count: count)
        var spans: [SpanMatch] = []
        var lastEnd = 0
        for (start, length) in lengths.enumerated() {
            // A span that ends no later than the one before lies within it.
            let isMaximal = start + length > lastEnd
            lastEnd = max(lastEnd, start + length)
            guard isMaximal, length >= max(1, minimumTokens) else { continue }
            spans.append(span(queries, start..<start + length, occurrenceLimit, itemLimit))
        }
        return spans
    }

    private static func span(_ queries: [SegmentQuery], _ words: Range<Int>, _ limit: Int, _ itemLimit: Int) -> SpanMatch {
        var occurrences = 0
        var found: [(SegmentQuery, Range<Int>)] = []
        for query in queries {
            let ranks = query.ranks(words)
            let count = ranks.count - query.removed.count(in: ranks)
            guard count > 0 else { continue }
            occurrences += count
            found.append((query, ranks))
        }
        var ids: [UnsafeRawBufferPointer] = []
        if occurrences <= limit {
            for (query, ranks) in found {
                var items: [Int] = []
                query.forEachOccurrence(in: ranks) { position in
                    items.append(query.segment.item(at: position))
                    return items.count < itemLimit
                }
                items.sort()
                for (index, item) in items.enumerated() where index == 0 || items[index - 1] != item {
                    ids.append(query.segment.idBytes(of: item))
                }
            }
            ids.sort { left, right in
                let order = left.baseAddress.flatMap { a in right.baseAddress.map { memcmp(a, $0, min(left.count, right.count)) } } ?? 0
                return order != 0 ? order < 0 : left.count < right.count
            }
        }
        // The bytes lie in segments that the queries hold.
        return withExtendedLifetime(queries) {
            SpanMatch(
                start: words.lowerBound, length: words.count, occurrences: occurrences,
                items: ids.map { String(decoding: $0, as: UTF8.self) })
        }
    }
}
