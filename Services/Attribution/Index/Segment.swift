internal import AttributionDomain
import Glibc

/// A segment, mapped into memory: items, their symbols, and the sorted suffixes of them.
// Sendable: the pointers lead into memory that is mapped read-only for as long as `file` lives, and nothing changes after init.
final class Segment: @unchecked Sendable {
    let file: MappedFile
    let layout: SegmentLayout
    let width: Int
    private let symbols: UnsafeRawPointer
    private let suffixes: UnsafeRawPointer
    private let pointerBits: Int
    private let pointerMask: UInt64
    private let buckets: UnsafePointer<UInt32>
    private let directory: UnsafePointer<UInt32>
    private let highs: UnsafePointer<UInt64>
    private let lows: UnsafePointer<UInt32>
    private let starts: UnsafePointer<UInt32>
    private let idEnds: UnsafePointer<UInt32>
    private let ids: UnsafeRawPointer

    init(_ file: MappedFile) throws(CorpusIndexError) {
        let layout = try SegmentLayout(file)
        self.file = file
        self.layout = layout
        width = layout.symbolBytes
        symbols = file.base + layout.symbolsAt
        suffixes = file.base + layout.suffixesAt
        pointerBits = layout.pointerBits
        pointerMask = (1 << UInt64(layout.pointerBits)) - 1
        func at<Element>(_ offset: Int, _: Element.Type) -> UnsafePointer<Element> {
            (file.base + offset).assumingMemoryBound(to: Element.self)
        }
        buckets = at(layout.bucketsAt, UInt32.self)
        directory = at(layout.directoryAt, UInt32.self)
        highs = at(layout.highsAt, UInt64.self)
        lows = at(layout.lowsAt, UInt32.self)
        starts = at(layout.startsAt, UInt32.self)
        idEnds = at(layout.idEndsAt, UInt32.self)
        ids = file.base + layout.idsAt
    }

    var items: Int { layout.items }
    var suffixCount: Int { layout.suffixes }

    // MARK: Items

    func id(of item: Int) -> String { String(decoding: idBytes(of: item), as: UTF8.self) }

    /// The bytes of an item's id, for as long as the segment is there.
    func idBytes(of item: Int) -> UnsafeRawBufferPointer {
        let start = item == 0 ? 0 : Int(idEnds[item - 1])
        return UnsafeRawBufferPointer(start: ids + start, count: Int(idEnds[item]) - start)
    }

    /// The item that has the symbol at a position.
    func item(at position: Int) -> Int {
        var (low, high) = (0, layout.items)
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(starts[middle]) <= position { low = middle } else { high = middle }
        }
        return low
    }

    func start(of item: Int) -> Int { Int(starts[item]) }
    /// The positions of an item's symbols, without the one that ends it.
    func positions(of item: Int) -> Range<Int> { Int(starts[item])..<Int(starts[item + 1]) - 1 }

    @inline(__always)
    func symbol(at position: Int) -> UInt32 {
        let eight = UInt64(bigEndian: (symbols + position * width).loadUnaligned(as: UInt64.self))
        return UInt32(truncatingIfNeeded: eight >> UInt64(64 - 8 * width))
    }

    /// The hash of a word.
    func hash(of symbol: UInt32) -> (high: UInt64, low: UInt32) { (highs[Int(symbol)], lows[Int(symbol)]) }

    /// The symbol of a word; `layout.unknown` where the segment lacks it.
    func symbol(high: UInt64, low: UInt32) -> UInt32 {
        let bits = layout.directoryBits
        let slot = bits == 0 ? 0 : Int(high >> UInt64(64 - bits))
        var index = Int(directory[slot])
        let end = Int(directory[slot + 1])
        while index < end {
            if highs[index] == high && lows[index] == low { return UInt32(index) }
            index += 1
        }
        return layout.unknown
    }

    // MARK: Suffixes

    /// Where the suffix of a rank begins.
    @inline(__always)
    func position(_ rank: Int) -> Int {
        let bit = rank &* pointerBits
        let word = UInt64(littleEndian: (suffixes + (bit >> 3)).loadUnaligned(as: UInt64.self))
        return Int(truncatingIfNeeded: (word >> UInt64(bit & 7)) & pointerMask)
    }

    /// Compares a pattern with the suffix at a position, from byte `skip` on, up to where equality is known.
    /// `lcp` is how many bytes they share, at most the pattern's length; `isBelow` whether the suffix comes before the pattern.
    @inline(__always)
    private func compare(
        _ pattern: UnsafeRawPointer, _ length: Int, _ position: Int, skip: Int
    ) -> (lcp: Int, isBelow: Bool) {
        let suffix = symbols + position &* width
        var offset = skip
        while offset < length {
            let a = UInt64(bigEndian: (pattern + offset).loadUnaligned(as: UInt64.self))
            let b = UInt64(bigEndian: (suffix + offset).loadUnaligned(as: UInt64.self))
            if a != b {
                let lcp = offset &+ (a ^ b).leadingZeroBitCount >> 3
                return lcp >= length ? (length, false) : (lcp, b < a)
            }
            offset &+= 8
        }
        return (length, false)
    }

    /// Eight bytes of the suffix at a position, from byte `offset` on.
    @inline(__always)
    func word(at position: Int, _ offset: Int) -> UInt64 {
        UInt64(bigEndian: (symbols + (position &* width &+ offset)).loadUnaligned(as: UInt64.self))
    }

    /// The ranks of the suffixes that begin with a pattern's first symbol.
    @inline(__always)
    func bounds(_ pattern: UnsafeRawPointer) -> Range<Int> {
        let eight = UInt64(bigEndian: pattern.loadUnaligned(as: UInt64.self))
        let first = Int(truncatingIfNeeded: eight >> UInt64(64 - 8 * width))
        guard first < layout.words else { return 0..<0 }
        let low = Int(buckets[first])
        return low..<max(low, Int(buckets[first + 1]))
    }

    /// The ranks of the suffixes that begin with a pattern.
    func interval(_ pattern: UnsafeRawPointer, _ length: Int) -> Range<Int> {
        guard length > 0 else { return 0..<0 }
        let bounds = bounds(pattern)
        if length <= width || bounds.isEmpty { return bounds }
        var (left, right) = (bounds.lowerBound - 1, bounds.upperBound)
        var (below, above) = (width, width)
        // To the first match, if there is any; then to either end of the matches.
        while right - left > 1 {
            let middle = (left + right) >> 1
            let (lcp, isBelow) = compare(pattern, length, position(middle), skip: min(below, above))
            if lcp == length {
                return lower(pattern, length, left, middle, below)..<upper(pattern, length, middle, right, above)
            }
            if isBelow {
                left = middle
                below = lcp
            } else {
                right = middle
                above = lcp
            }
        }
        return right..<right
    }

    /// The first match; `left` is below all of them and `match` is one.
    private func lower(_ pattern: UnsafeRawPointer, _ length: Int, _ left: Int, _ match: Int, _ shared: Int) -> Int {
        var (left, right, below) = (left, match, shared)
        while right - left > 1 {
            let middle = (left + right) >> 1
            let (lcp, _) = compare(pattern, length, position(middle), skip: below)
            if lcp == length {
                right = middle
            } else {
                left = middle
                below = lcp
            }
        }
        return right
    }

    /// The rank after the last match; `right` is above all of them and `match` is one.
    private func upper(_ pattern: UnsafeRawPointer, _ length: Int, _ match: Int, _ right: Int, _ shared: Int) -> Int {
        var (left, right, above) = (match, right, shared)
        while right - left > 1 {
            let middle = (left + right) >> 1
            let (lcp, _) = compare(pattern, length, position(middle), skip: above)
            if lcp == length {
                left = middle
            } else {
                right = middle
                above = lcp
            }
        }
        return right
    }

    /// How many bytes of a pattern the suffix of a rank shares.
    func shared(_ pattern: UnsafeRawPointer, _ length: Int, rank: Int) -> Int {
        compare(pattern, length, position(rank), skip: 0).lcp
    }

    /// The rank of the suffix that begins at a position.
    func rank(of position: Int) -> Int {
        let first = Int(symbol(at: position))
        var (low, high) = (Int(buckets[first]), Int(buckets[first + 1]))
        let length = (layout.symbols - position) * width
        while high - low > 1 {
            let middle = (low + high) >> 1
            let other = self.position(middle)
            if other == position { return middle }
            // The rest of the text from the later position is the shorter; where it ends they are equal, and the shorter comes first.
            let limit = min(length, (layout.symbols - other) * width)
            let order = memcmp(symbols + other * width, symbols + position * width, limit)
            if order < 0 || (order == 0 && other > position) { low = middle } else { high = middle }
        }
        return low
    }
}
