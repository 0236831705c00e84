internal import AttributionDomain
internal import CDivSufSort
internal import Crypto
import Glibc

/// Builds a segment: sorts the suffixes of its items and writes the file.
enum SegmentWriter {
    /// The most bytes of symbols in one segment: the sorter takes five times as much memory.
    static let limit = 384 << 20

    /// Writes the words of a stream.
    static func write(_ stream: consuming TokenStream, to path: String) throws(CorpusIndexError) -> (digest: Digest, bytes: Int) {
        // The symbol of a word is its rank by hash, so that the sorted hashes are the dictionary.
        let highs = stream.highs
        let lows = stream.lows
        let order = highs.indices.sorted { highs[$0] != highs[$1] ? highs[$0] < highs[$1] : lows[$0] < lows[$1] }
        var rank = [UInt32](repeating: 0, count: order.count)
        for (position, word) in order.enumerated() { rank[word] = UInt32(position) }
        var layout = SegmentLayout()
        layout.hasWords = true
        layout.words = order.count
        layout.directoryBits = max(0, Int.bitWidth - order.count.leadingZeroBitCount - 3)
        return try write(
            layout, tokens: stream.tokens, rank: rank, ids: stream.ids, hashes: order.map { (highs[$0], lows[$0]) }, to: path)
    }

    /// Writes items that are a model's token numbers below `vocabulary`; each item is followed by `TokenStream.end`.
    static func write(
        tokens: [UInt32], ids: [String], vocabulary: Int, to path: String
    ) throws(CorpusIndexError) -> (digest: Digest, bytes: Int) {
        var layout = SegmentLayout()
        layout.words = vocabulary
        return try write(layout, tokens: tokens, rank: nil, ids: ids, hashes: [], to: path)
    }

    private static func write(
        _ given: SegmentLayout, tokens: [UInt32], rank: [UInt32]?, ids: [String], hashes: [(UInt64, UInt32)], to path: String
    ) throws(CorpusIndexError) -> (digest: Digest, bytes: Int) {
        var layout = given
        while layout.symbolBytes == 0 || layout.words > Int(layout.unknown) { layout.symbolBytes += 1 }
        layout.symbols = tokens.count
        layout.items = ids.count
        layout.pointerBits = max(1, Int.bitWidth - tokens.count.leadingZeroBitCount)
        layout.idBytes = ids.reduce(0) { $0 + $1.utf8.count }
        let width = layout.symbolBytes
        let length = tokens.count * width
        guard length <= limit else { throw .tooLarge(what: "bytes of symbols", count: length, limit: limit) }

        // One pass fills the symbols, the items' starts and the number of suffixes that begin with each symbol.
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: length + SegmentLayout.slack)
        defer { text.deallocate() }
        memset(text + length, 0xFF, SegmentLayout.slack)
        var starts: [UInt32] = [0]
        starts.reserveCapacity(ids.count + 1)
        var buckets = [UInt32](repeating: 0, count: layout.words + 1)
        for (position, token) in tokens.enumerated() {
            var symbol = layout.terminator
            if token == TokenStream.end {
                starts.append(UInt32(position + 1))
            } else {
                symbol = rank.map { $0[Int(token)] } ?? token
                guard symbol < layout.words else {
                    throw .tooLarge(what: "as a token's number", count: Int(symbol), limit: layout.words - 1)
                }
                buckets[Int(symbol) + 1] += 1
            }
            for byte in 0..<width { text[position * width + byte] = UInt8(truncatingIfNeeded: symbol >> UInt32(8 * (width - 1 - byte))) }
        }
        for index in 1..<buckets.count { buckets[index] += buckets[index - 1] }

        let suffixes = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, length))
        defer { suffixes.deallocate() }
        let code = divsufsort(text, suffixes, Int32(length))
        guard code == 0 || length == 0 else { throw .sorting(Int(code)) }

        var sink = try FileSink(path: path)
        layout.write(to: &sink)
        sink.write(UnsafeRawBufferPointer(start: text, count: length + SegmentLayout.slack))
        sink.align()
        writePointers(suffixes, length, layout, to: &sink)
        sink.align()
        sink.write(all: buckets)
        sink.align()
        if layout.hasWords { writeWords(hashes, layout.directoryBits, to: &sink) }
        sink.write(all: starts)
        sink.align()
        var end: UInt32 = 0
        for id in ids {
            end += UInt32(id.utf8.count)
            sink.write(end)
        }
        sink.align()
        for id in ids { sink.write(all: Array(id.utf8)) }
        return (try sink.finish(), sink.count)
    }

    /// Keeps the suffixes that begin at a symbol, in order, and packs them. Those that begin at an item's end sort last and are left out.
    private static func writePointers(
        _ sorted: UnsafeMutablePointer<Int32>, _ length: Int, _ layout: SegmentLayout, to sink: inout FileSink
    ) {
        let width = UInt32(layout.symbolBytes)
        let bits = UInt64(layout.pointerBits)
        var left = layout.suffixes
        var chunk: [UInt64] = []
        chunk.reserveCapacity(1 << 14)
        var (word, filled): (UInt64, UInt64) = (0, 0)
        for index in 0..<length {
            if left == 0 { break }
            let (pointer, rest) = UInt32(bitPattern: sorted[index]).quotientAndRemainder(dividingBy: width)
            if rest != 0 { continue }
            left -= 1
            word |= UInt64(pointer) << filled
            if filled + bits >= 64 {
                chunk.append(word.littleEndian)
                word = filled + bits == 64 ? 0 : UInt64(pointer) >> (64 - filled)
                filled = filled + bits - 64
                if chunk.count == 1 << 14 {
                    sink.write(all: chunk)
                    chunk.removeAll(keepingCapacity: true)
                }
            } else {
                filled += bits
            }
        }
        sink.write(all: chunk)
        let bytes = withUnsafeBytes(of: word.littleEndian) { Array($0.prefix(Int(filled + 7) / 8)) }
        sink.write(all: bytes)
        // Eight bytes may be read at the last pointer.
        sink.write(UInt64(0))
    }

    private static func writeWords(
        _ hashes: [(UInt64, UInt32)], _ directoryBits: Int, to sink: inout FileSink
    ) {
        var directory = [UInt32](repeating: 0, count: (1 << directoryBits) + 1)
        for (high, _) in hashes { directory[Int(directoryBits == 0 ? 0 : high >> UInt64(64 - directoryBits)) + 1] += 1 }
        for index in 1..<directory.count { directory[index] += directory[index - 1] }
        sink.write(all: directory)
        sink.align()
        for (high, _) in hashes { sink.write(high) }
        sink.align()
        for (_, low) in hashes { sink.write(low) }
        sink.align()
    }
}
