/// Rows in the format of `COPY … (FORMAT binary)` (PostgreSQL manual, "COPY", file formats), in one buffer that can be reused.
///
/// Each row is begun by ``startRow()`` and then gets one value per column, in the table's own types: what is appended as
/// `int8` must go into a `bigint`. A row with too few or too many values is told by the copy, not by a trap.
public struct BinaryCopy: Sendable {
    /// The server's mark of the format, flags and the length of an empty extension.
    static let signature: [UInt8] = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)

    /// Values per row.
    public let columns: Int
    /// Rows begun since the start or the last reset.
    public private(set) var rows = 0
    private(set) var bytes: [UInt8]
    private var filled: Int
    private var malformedRow: Int?

    /// An empty copy for rows of so many values.
    /// - Parameter capacity: bytes to set aside at once.
    public init(columns: Int, capacity: Int = 4096) {
        self.columns = columns
        filled = columns
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes += Self.signature
    }

    /// The buffer's size in bytes.
    public var size: Int { bytes.count }

    /// Empties the buffer and keeps its memory.
    public mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        bytes += Self.signature
        rows = 0
        filled = columns
        malformedRow = nil
    }

    /// Begins a row.
    public mutating func startRow() {
        if filled != columns, malformedRow == nil { malformedRow = rows - 1 }
        filled = 0
        rows += 1
        bytes.append(bigEndian: Int16(truncatingIfNeeded: columns))
    }

    /// NULL.
    public mutating func appendNull() {
        filled += 1
        bytes.append(bigEndian: Int32(-1))
    }

    /// A `bigint`.
    public mutating func append(int8 value: Int64) { append(fixed: value) }
    /// An `integer`.
    public mutating func append(int4 value: Int32) { append(fixed: value) }
    /// A `smallint`.
    public mutating func append(int2 value: Int16) { append(fixed: value) }
    /// A `boolean`.
    public mutating func append(bool value: Bool) { append(fixed: UInt8(value ? 1 : 0)) }
    /// A `double precision`.
    public mutating func append(double value: Double) { append(fixed: value.bitPattern) }

    /// A `timestamptz` or `timestamp`: microseconds since 1970.
    public mutating func append(timestamp value: Int64) {
        guard let moment = Timestamp.toServer(value) else { return spoil() }
        append(fixed: moment)
    }

    /// A `bytea`.
    public mutating func append(bytes value: [UInt8]) { append(raw: value.span) }
    /// A `bytea`, or any value already in its binary form.
    public mutating func append(raw value: Span<UInt8>) {
        begin(value.count)
        value.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }
    /// A `text`.
    public mutating func append(text value: String) {
        var value = value
        value.withUTF8 { utf8 in
            begin(utf8.count)
            bytes.append(contentsOf: utf8)
        }
    }
    /// A `bytea`, or any value already in its binary form, from memory that is only lent.
    public mutating func append(raw value: UnsafeRawBufferPointer) {
        begin(value.count)
        bytes.append(contentsOf: value)
    }
    /// A `uuid` by its two halves, big-endian.
    public mutating func append(uuid high: UInt64, _ low: UInt64) {
        begin(16)
        bytes.append(bigEndian: high)
        bytes.append(bigEndian: low)
    }
    /// A `uuid`: 16 bytes.
    public mutating func append(uuid value: [UInt8]) {
        if value.count != 16 { spoil() }
        append(bytes: value)
    }
    /// A `jsonb`, as UTF-8 text.
    public mutating func append(jsonb value: [UInt8]) {
        begin(value.count + 1)
        bytes.append(1)
        bytes += value
    }
    /// A whole `numeric`.
    public mutating func append(numeric value: Int128) {
        filled += 1
        Numeric.append(value, to: &bytes)
    }

    private mutating func append<Value: FixedWidthInteger>(fixed value: Value) {
        begin(MemoryLayout<Value>.size)
        bytes.append(bigEndian: value)
    }

    private mutating func begin(_ length: Int) {
        filled += 1
        bytes.append(bigEndian: Int32(truncatingIfNeeded: length))
    }

    private mutating func spoil() { if malformedRow == nil { malformedRow = max(0, rows - 1) } }

    /// What a writer sends once before all rows, and again never.
    mutating func dropSent() { bytes.removeAll(keepingCapacity: true) }

    /// The end of the data.
    static let trailer: [UInt8] = [0xFF, 0xFF]

    /// - Throws: ``PostgresError`` that names the first row whose values are not as many as the columns, or not of a valid form.
    func check() throws(PostgresError) {
        if let row = malformedRow ?? (filled != columns ? rows - 1 : nil) {
            throw PostgresError(.badCopyFileFormat, "row \(row) of the copy does not have \(columns) valid values")
        }
    }
}
