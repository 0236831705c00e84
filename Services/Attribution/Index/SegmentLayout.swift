/// The first 128 bytes of a segment, and where its parts lie.
///
/// All numbers are little-endian but symbols, which are big-endian, so that comparing bytes compares symbols. A symbol stands for a word:
/// its rank among the segment's words by hash. The highest value ends an item, and the next lower one never occurs: it is what a query
/// has for a word that the segment lacks.
struct SegmentLayout: Equatable {
    static let magic: UInt64 = 0x3143_524F_434C_4F00  // "\0OLCORC1"
    static let version = 1
    static let headerBytes = 128
    /// What follows the last symbol, so that eight bytes can be read at any of them.
    static let slack = 16

    /// Bytes of a symbol, 1 to 4.
    var symbolBytes = 0
    /// Bits of a pointer in the suffix array.
    var pointerBits = 0
    /// Whether symbols are words with hashes; otherwise they are a model's token numbers as they are.
    var hasWords = false
    /// Symbols, those that end items included.
    var symbols = 0
    var items = 0
    /// Distinct symbols.
    var words = 0
    /// The directory of words has 2^this + 1 entries.
    var directoryBits = 0
    /// Bytes of all item ids together.
    var idBytes = 0

    /// Suffixes that begin in an item.
    var suffixes: Int { symbols - items }
    var terminator: UInt32 { UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(8 * symbolBytes)) - 1) }
    var unknown: UInt32 { terminator - 1 }

    var symbolsAt: Int { Self.headerBytes }
    var suffixesAt: Int { up(symbolsAt + symbols * symbolBytes + Self.slack) }
    var bucketsAt: Int { up(suffixesAt + (suffixes * pointerBits + 7) / 8 + 8) }
    var directoryAt: Int { up(bucketsAt + 4 * (words + 1)) }
    var highsAt: Int { up(directoryAt + (hasWords ? 4 * ((1 << directoryBits) + 1) : 0)) }
    var lowsAt: Int { up(highsAt + (hasWords ? 8 * words : 0)) }
    var startsAt: Int { up(lowsAt + (hasWords ? 4 * words : 0)) }
    var idEndsAt: Int { up(startsAt + 4 * (items + 1)) }
    var idsAt: Int { up(idEndsAt + 4 * items) }
    var bytes: Int { idsAt + idBytes }

    private func up(_ offset: Int) -> Int { (offset + 7) & ~7 }

    init() {}

    /// Reads and checks a header against the file's size.
    init(_ file: MappedFile) throws(CorpusIndexError) {
        func corrupt(_ reason: String) -> CorpusIndexError { .corrupt(path: file.path, reason: reason) }
        guard file.count >= Self.headerBytes else { throw corrupt("its header is cut short") }
        func number(_ index: Int) -> UInt64 { UInt64(littleEndian: file.base.load(fromByteOffset: 8 * index, as: UInt64.self)) }
        guard number(0) == Self.magic else { throw corrupt("it is no segment of an index") }
        guard number(1) == UInt64(Self.version) else {
            throw .version(path: file.path, found: Int(clamping: number(1)), known: Self.version)
        }
        func field(_ index: Int, _ range: ClosedRange<Int>, _ name: String) throws(CorpusIndexError) -> Int {
            guard let value = Int(exactly: number(index)), range.contains(value) else { throw corrupt("its \(name) is out of range") }
            return value
        }
        symbolBytes = try field(2, 1...4, "width of symbols")
        pointerBits = try field(3, 1...32, "width of pointers")
        hasWords = try field(4, 0...1, "kind") == 1
        symbols = try field(5, 0...Int(Int32.max), "number of symbols")
        items = try field(6, 0...symbols, "number of items")
        words = try field(7, 0...Int(UInt32.max), "number of words")
        directoryBits = try field(8, 0...32, "directory")
        idBytes = try field(9, 0...(items * 255), "length of ids")
        guard file.count == bytes else { throw corrupt("it has \(file.count) bytes and should have \(bytes)") }
    }

    func write(to sink: inout FileSink) {
        let fields = [
            Self.magic, UInt64(Self.version), UInt64(symbolBytes), UInt64(pointerBits), hasWords ? 1 : 0, UInt64(symbols), UInt64(items),
            UInt64(words), UInt64(directoryBits), UInt64(idBytes),
        ]
        for field in fields { sink.write(field) }
        sink.write(all: [UInt8](repeating: 0, count: Self.headerBytes - 8 * fields.count))
    }
}
