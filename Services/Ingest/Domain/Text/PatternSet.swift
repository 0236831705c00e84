internal import CText

// Unchecked: RE2 objects are immutable once compiled, and RE2 documents matching as safe from any number of threads; the
// pointer never changes and is freed with the last reference.
/// Regular expressions (RE2 syntax) that are looked for all at once, in time linear in the text whatever the text is.
final class PatternSet: @unchecked Sendable {
    private let raw: OpaquePointer
    let count: Int

    /// Nil when a pattern does not compile.
    init?(_ patterns: [String]) {
        var bad = 0
        let copies = patterns.map { Array($0.utf8CString) }
        let made = Self.withPointers(copies[...], []) { ctext_patterns_new($0, $0.count, &bad) }
        guard let made else { return nil }
        raw = made
        count = patterns.count
    }

    deinit { ctext_patterns_free(raw) }

    /// The indexes of the patterns that occur, ascending.
    func occurring(in text: [UInt8]) -> [Int] {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { found in
            let hits = text.withUnsafeBufferPointer { ctext_patterns_match(raw, $0.baseAddress, $0.count, found.baseAddress, count) }
            return hits <= 0 ? [] : found.prefix(Int(hits)).map { Int($0) }.sorted()
        }
    }

    /// The places of one pattern that `isWanted`, at most `limit`.
    func places(of pattern: Int, in text: [UInt8], atMost limit: Int, where isWanted: (Range<Int>) -> Bool) -> [Range<Int>] {
        var found: [Range<Int>] = []
        text.withUnsafeBufferPointer { bytes in
            var from = 0
            var start = 0
            var end = 0
            while found.count < limit, ctext_patterns_find(raw, pattern, bytes.baseAddress, bytes.count, from, &start, &end) == 1 {
                if isWanted(start..<end) { found.append(start..<end) }
                from = max(end, start + 1)
            }
        }
        return found
    }

    private static func withPointers<Result>(
        _ rest: ArraySlice<[CChar]>, _ done: [UnsafePointer<CChar>?], _ body: ([UnsafePointer<CChar>?]) -> Result
    ) -> Result {
        guard let first = rest.first else { return body(done) }
        return first.withUnsafeBufferPointer { withPointers(rest.dropFirst(), done + [$0.baseAddress], body) }
    }
}
