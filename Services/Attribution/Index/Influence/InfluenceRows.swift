public import AttributionDomain
internal import CInt8
public import Crypto

/// Rows of signed bytes with a scale for each tensor: the gradients of training items at a checkpoint, or the preconditioned gradient of an
/// answer (a file of one row).
///
/// File, all numbers little-endian:
///
///     64 bytes    magic "\0OLINF1\0", version, tensors, bytes of a row (a multiple of 64), rest 0; 8 bytes each
///     tensors     for each: columns (8 bytes), length of its name (8 bytes), name; then zeros to a multiple of 64
///     rows        the tensors' bytes one after another, then zeros to the row's length
///     scales      4 bytes for each tensor of each row: a value is its byte × its scale × 2^exponent
///     ids         for each row the length of its item's id (4 bytes); then the ids
///     64 bytes    rows, exponent, where the scales begin, where the ids begin (8 bytes each), SHA-256 of all before it
///
/// Scores are sums of exact products, rounded once: the same on every machine.
///
/// Unchecked `Sendable`: the memory is mapped read-only for as long as `file` lives, and nothing changes after init.
public final class InfluenceRows: @unchecked Sendable {
    static let magic: UInt64 = 0x0031_464E_494C_4F00  // "\0OLINF1\0"
    static let version = 1
    /// The most columns of one tensor: 2^16 products of bytes fit 32 bits.
    public static let columnLimit = 65_536
    /// Bits that a score is rounded by.
    static let scoreShift = 48

    /// A tensor's name and how many numbers of a row are its.
    public struct Tensor: Sendable, Hashable {
        /// Its name in the model.
        public let name: String
        /// Its numbers in a row: 1 to 65,536.
        public let columns: Int

        /// Takes both.
        public init(name: String, columns: Int) {
            self.name = name
            self.columns = columns
        }
    }

    /// The tensors in the order of a row.
    public let tensors: [Tensor]
    /// The item of each row.
    public let items: [String]
    /// The binary exponent of the scales.
    public let exponent: Int
    /// The hash of the file.
    public let digest: Digest
    private let file: MappedFile
    private let stride: Int
    private let rowsAt: Int
    private let scalesAt: Int

    /// Maps a file and checks its hash.
    ///
    /// - Throws: `CorpusIndexError` that names the file.
    public init(path: String) throws(CorpusIndexError) {
        file = try MappedFile(path: path)
        let file = file
        func corrupt(_ reason: String) -> CorpusIndexError { .corrupt(path: path, reason: reason) }
        guard file.count >= 128 else { throw corrupt("it is cut short") }
        func eight(_ offset: Int) -> UInt64 { UInt64(littleEndian: file.base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
        guard eight(0) == Self.magic else { throw corrupt("it holds no rows of influence") }
        guard eight(8) == UInt64(Self.version) else {
            throw .version(path: path, found: Int(clamping: eight(8)), known: Self.version)
        }
        let tail = file.count - 64
        let hasher = SHA256Hasher()
        hasher.update(UnsafeBufferPointer(start: file.base.assumingMemoryBound(to: UInt8.self), count: tail + 32).span)
        let sealed = Array(UnsafeRawBufferPointer(start: file.base + tail + 32, count: 32))
        guard hasher.finish().bytes == sealed else { throw corrupt("its hash is not the one it ends with") }
        digest = file.digest()

        // The hash fits, so what follows is what a writer wrote; sizes are still checked, since anybody can hash a file.
        guard let tensorCount = Int(exactly: eight(16)), let stride = Int(exactly: eight(24)), let rows = Int(exactly: eight(tail)),
            let scalesAt = Int(exactly: eight(tail + 16)), let idsAt = Int(exactly: eight(tail + 24)), tensorCount <= 4096,
            rows <= 100_000_000, (1...(4096 * Self.columnLimit)).contains(stride), stride % 64 == 0, scalesAt <= tail, idsAt <= tail
        else { throw corrupt("its header is out of range") }
        exponent = Int(Int64(bitPattern: eight(tail + 8)))
        guard (-4096...4096).contains(exponent) else { throw corrupt("its exponent is out of range") }
        var offset = 64
        var tensors: [Tensor] = []
        for _ in 0..<tensorCount {
            guard offset + 16 <= tail, let columns = Int(exactly: eight(offset)), let length = Int(exactly: eight(offset + 8)),
                (1...Self.columnLimit).contains(columns), length <= 1024, offset + 16 + length <= tail
            else { throw corrupt("its tensors are out of range") }
            let name = UnsafeRawBufferPointer(start: file.base + offset + 16, count: length)
            tensors.append(Tensor(name: String(decoding: name, as: UTF8.self), columns: columns))
            offset += 16 + length
        }
        rowsAt = (offset + 63) & ~63
        guard tensors.reduce(0, { $0 + $1.columns }) <= stride, rowsAt + rows * stride == scalesAt,
            scalesAt + 4 * rows * tensorCount == idsAt, idsAt + 4 * rows <= tail
        else { throw corrupt("its parts do not fit together") }
        var items: [String] = []
        items.reserveCapacity(rows)
        var at = idsAt + 4 * rows
        for row in 0..<rows {
            let length = Int(UInt32(littleEndian: file.base.loadUnaligned(fromByteOffset: idsAt + 4 * row, as: UInt32.self)))
            guard at + length <= tail else { throw corrupt("its ids do not fit") }
            items.append(String(decoding: UnsafeRawBufferPointer(start: file.base + at, count: length), as: UTF8.self))
            at += length
        }
        guard at == tail else { throw corrupt("its ids do not fit") }
        self.tensors = tensors
        self.items = items
        self.stride = stride
        self.scalesAt = scalesAt
    }

    /// Bytes that a scan reads: rows and their scales.
    public var scanBytes: Int { items.count * (stride + 4 * tensors.count) }

    /// The score of every row for the answer whose row is the first of `query`.
    ///
    /// - Parameter part: the tensors that count, those of one checkpoint say; all when left out.
    /// - Throws: `CorpusIndexError.corrupt` when the answer's file has other tensors, or no row.
    public func scores(for query: InfluenceRows, of part: Range<Int>? = nil) throws(CorpusIndexError) -> InfluenceScores {
        let part = (part ?? tensors.indices).clamped(to: tensors.indices)
        guard query.tensors == tensors else { throw .corrupt(path: query.file.path, reason: "its tensors are not those of \(file.path)") }
        guard !query.items.isEmpty else { throw .corrupt(path: query.file.path, reason: "it has no row") }
        let other = (query.file.base + query.rowsAt).assumingMemoryBound(to: Int8.self)
        let own = (file.base + rowsAt).assumingMemoryBound(to: Int8.self)
        let otherScales = (0..<tensors.count).map { Int128(query.scale(0, $0)) }
        let columns = tensors.map(\.columns)
        let first = columns[..<part.lowerBound].reduce(0, +)
        let count = items.count
        let scores = [Int64](unsafeUninitializedCapacity: count) { buffer, filled in
            for row in 0..<count {
                var sum: Int128 = 0
                var offset = first
                let start = own + row * stride
                for tensor in part {
                    let product = cint8_dot(start + offset, other + offset, columns[tensor])
                    sum += Int128(Int64(product) * Int64(scale(row, tensor))) * otherScales[tensor]
                    offset += columns[tensor]
                }
                let half = UInt128(1) << UInt128(Self.scoreShift - 1)
                let magnitude = Int64((sum.magnitude + half) >> UInt128(Self.scoreShift))
                buffer[row] = sum < 0 ? -magnitude : magnitude
            }
            filled = count
        }
        return InfluenceScores(
            rows: digest, query: query.digest, items: items, scores: scores, exponent: exponent + query.exponent + Self.scoreShift)
    }

    /// The instructions that scores are computed with.
    public static var kernel: String { String(cString: cint8_name()) }

    /// Reads the bytes of all rows and does no more: what a scan is measured against.
    public func plainRead() -> UInt64 {
        cint8_read((file.base + rowsAt).assumingMemoryBound(to: UInt8.self), items.count * stride)
    }

    @inline(__always)
    private func scale(_ row: Int, _ tensor: Int) -> UInt32 {
        UInt32(littleEndian: file.base.loadUnaligned(fromByteOffset: scalesAt + 4 * (row * tensors.count + tensor), as: UInt32.self))
    }
}
