/// Reads rows out of binary COPY data that comes in pieces, wherever the pieces are cut.
public struct BinaryCopyReader {
    /// One row; of use only in the closure that got it.
    public struct Row {
        fileprivate let bytes: [UInt8]
        fileprivate let fields: [Range<Int>?]

        /// How many values it has.
        public var count: Int { fields.count }

        /// The bytes of a value; nil for NULL.
        public func bytes(_ index: Int) throws(PostgresError) -> [UInt8]? {
            guard fields.indices.contains(index) else {
                throw PostgresError(.badCopyFileFormat, "no value \(index) in a row of \(fields.count)")
            }
            return fields[index].map { Array(bytes[$0]) }
        }

        /// A `bigint` that is not NULL.
        public func int8(_ index: Int) throws(PostgresError) -> Int64 {
            guard let bytes = try bytes(index), bytes.count == 8 else {
                throw PostgresError(.badCopyFileFormat, "value \(index) is no bigint")
            }
            return bytes.withUnsafeBytes { $0.load(bigEndian: Int64.self) }
        }
    }

    private var buffer: [UInt8] = []
    private var hasHeader = false
    private var hasTrailer = false

    /// At the start of the data.
    public init() {}

    /// Takes the next piece and gives the rows that are complete with it.
    /// - Throws: what `body` throws, or ``PostgresError`` for data that is not of the format.
    public mutating func read(_ piece: [UInt8], _ body: (Row) throws -> Void) throws {
        buffer += piece
        var offset = 0
        if !hasHeader {
            guard buffer.count >= 19 else { return }
            guard Array(buffer[..<19]) == BinaryCopy.signature else { throw malformed("the header") }
            hasHeader = true
            offset = 19
        }
        while !hasTrailer, let (row, end) = try row(at: offset) {
            offset = end
            if let row { try body(row) } else { hasTrailer = true }
        }
        guard !hasTrailer || offset == buffer.count else { throw malformed("the end") }
        buffer.removeFirst(offset)
    }

    /// - Throws: ``PostgresError`` when the data stops before its end.
    public func finish() throws(PostgresError) {
        guard hasTrailer, buffer.isEmpty else { throw malformed("the end") }
    }

    /// The row at an offset and where the next begins; no row for the trailer; nil when it is not complete.
    private func row(at start: Int) throws(PostgresError) -> (Row?, Int)? {
        guard let count = word(at: start, Int16.self) else { return nil }
        if count == -1 { return (nil, start + 2) }
        guard count >= 0 else { throw malformed("the number of values") }
        var offset = start + 2
        var fields: [Range<Int>?] = []
        for _ in 0..<count {
            guard let length = word(at: offset, Int32.self).map(Int.init) else { return nil }
            offset += 4
            guard length >= 0 else {
                guard length == -1 else { throw malformed("a length") }
                fields.append(nil)
                continue
            }
            guard offset + length <= buffer.count else { return nil }
            fields.append(offset..<offset + length)
            offset += length
        }
        return (Row(bytes: buffer, fields: fields), offset)
    }

    private func word<Word: FixedWidthInteger>(at offset: Int, _ type: Word.Type) -> Word? {
        guard offset + MemoryLayout<Word>.size <= buffer.count else { return nil }
        return buffer.withUnsafeBytes { $0.load(bigEndian: type, at: offset) }
    }

    private func malformed(_ what: String) -> PostgresError {
        PostgresError(.badCopyFileFormat, "\(what) of the binary COPY data is malformed")
    }
}
