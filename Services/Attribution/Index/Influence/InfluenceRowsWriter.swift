public import Crypto

/// Writes a file of `InfluenceRows`, row by row.
public struct InfluenceRowsWriter: ~Copyable {
    private var sink: FileSink
    private let path: String
    private let tensors: [InfluenceRows.Tensor]
    private let stride: Int
    private var scales: [Float] = []
    private var items: [String] = []

    /// Begins a file.
    ///
    /// - Throws: `CorpusIndexError.tooLarge` for a tensor of more than `InfluenceRows.columnLimit` columns: cut it.
    public init(path: String, tensors: [InfluenceRows.Tensor]) throws(CorpusIndexError) {
        try Self.check(tensors)
        let stride = max(64, (tensors.reduce(0) { $0 + $1.columns } + 63) & ~63)
        var sink = try FileSink(path: path + ".new", endsWithHash: true)
        for number in [InfluenceRows.magic, UInt64(InfluenceRows.version), UInt64(tensors.count), UInt64(stride), 0, 0, 0, 0] {
            sink.write(number)
        }
        for tensor in tensors {
            sink.write(UInt64(tensor.columns))
            sink.write(UInt64(tensor.name.utf8.count))
            sink.write(all: Array(tensor.name.utf8))
        }
        sink.write(all: [UInt8](repeating: 0, count: -sink.count & 63))
        self.path = path
        self.tensors = tensors
        self.stride = stride
        self.sink = sink
    }

    private static func check(_ tensors: [InfluenceRows.Tensor]) throws(CorpusIndexError) {
        guard tensors.count <= 4096 else { throw .tooLarge(what: "tensors", count: tensors.count, limit: 4096) }
        for tensor in tensors {
            guard (1...InfluenceRows.columnLimit).contains(tensor.columns) else {
                throw .tooLarge(what: "columns of \(tensor.name)", count: tensor.columns, limit: InfluenceRows.columnLimit)
            }
            guard tensor.name.utf8.count <= 1024 else { throw .badItem(tensor.name) }
        }
    }

    /// Appends the row of an item: all tensors' numbers one after another. Each tensor is scaled so that its largest magnitude becomes 127.
    ///
    /// - Throws: `CorpusIndexError.corrupt` for a row of another length, or with a number that is not finite.
    public mutating func append(item: String, _ row: [Float]) throws(CorpusIndexError) {
        guard (1...255).contains(item.utf8.count) else { throw .badItem(item) }
        let columns = tensors.reduce(0) { $0 + $1.columns }
        guard row.count == columns else { throw .corrupt(path: path, reason: "a row has \(row.count) numbers, and \(columns) are due") }
        var bytes = [Int8](repeating: 0, count: stride)
        var offset = 0
        for tensor in tensors {
            var largest: Float = 0
            for index in offset..<offset + tensor.columns {
                guard row[index].isFinite else { throw .corrupt(path: path, reason: "the row of \(item) has a number that is not finite") }
                largest = max(largest, abs(row[index]))
            }
            scales.append(largest / 127)
            // Of a number too small to divide by, all bytes stay 0.
            if largest / 127 > 0, (127 / largest).isFinite {
                for index in offset..<offset + tensor.columns {
                    bytes[index] = Int8(max(-127, min(127, (row[index] * (127 / largest)).rounded(.toNearestOrEven))))
                }
            }
            offset += tensor.columns
        }
        sink.write(all: bytes)
        items.append(item)
    }

    /// Ends the file and gives it its name.
    ///
    /// - Returns: the hash of the file, which goes on the ledger.
    public consuming func finish() throws(CorpusIndexError) -> Digest {
        // The largest scale takes all 32 bits of its number; the exponent holds for the file.
        let largest = scales.max() ?? 0
        let exponent = largest > 0 ? Int(largest.exponent) - 31 : 0
        let scalesAt = sink.count
        for scale in scales {
            sink.write(
                UInt32(min(Double(UInt32.max), (Double(scale) * Double(sign: .plus, exponent: -exponent, significand: 1)).rounded())))
        }
        let idsAt = sink.count
        for item in items { sink.write(UInt32(item.utf8.count)) }
        for item in items { sink.write(all: Array(item.utf8)) }
        for number in [UInt64(items.count), UInt64(bitPattern: Int64(exponent)), UInt64(scalesAt), UInt64(idsAt)] { sink.write(number) }
        sink.seal()
        let digest = try sink.finish()
        try Files.rename(path + ".new", to: path)
        return digest
    }
}
