/// One row of a result; cells are decoded when asked for.
public struct Row: Sendable {
    let storage: RowStorage
    let index: Int

    /// Whether the column is NULL here.
    public func isNull(_ column: some ColumnKey) throws(RowError) -> Bool { try cell(column).length < 0 }

    /// `smallint`, `integer`, `bigint` or `oid`.
    public func int(_ column: some ColumnKey) throws(RowError) -> Int64 { try present(optionalInt(column), column) }
    /// `boolean`.
    public func bool(_ column: some ColumnKey) throws(RowError) -> Bool { try present(optionalBool(column), column) }
    /// `real` or `double precision`.
    public func double(_ column: some ColumnKey) throws(RowError) -> Double { try present(optionalDouble(column), column) }
    /// `text`, `varchar`, `name`, `json`, `jsonb`, an enum or another type whose binary form is text.
    public func text(_ column: some ColumnKey) throws(RowError) -> String { try present(optionalText(column), column) }
    /// `bytea`, or the UTF-8 bytes of `text`, `json` or `jsonb`.
    public func bytes(_ column: some ColumnKey) throws(RowError) -> [UInt8] { try present(optionalBytes(column), column) }
    /// `uuid`: 16 bytes in network order.
    public func uuid(_ column: some ColumnKey) throws(RowError) -> [UInt8] { try present(optionalUUID(column), column) }
    /// `timestamptz` or `timestamp`: microseconds since 1970.
    public func timestamp(_ column: some ColumnKey) throws(RowError) -> Int64 { try present(optionalTimestamp(column), column) }
    /// `numeric` in its text form.
    public func numeric(_ column: some ColumnKey) throws(RowError) -> String { try present(optionalNumeric(column), column) }
    /// A whole `numeric` or an integer, as amounts of money are kept. One with decimals that are not zero is out of range.
    public func int128(_ column: some ColumnKey) throws(RowError) -> Int128 { try present(optionalInt128(column), column) }

    /// Like ``int(_:)``, nil for NULL.
    public func optionalInt(_ column: some ColumnKey) throws(RowError) -> Int64? {
        try decode(column, "an integer") { type, bytes in
            switch (type, bytes.count) {
            case (TypeOID.int8, 8): bytes.load(bigEndian: Int64.self)
            case (TypeOID.int4, 4): Int64(bytes.load(bigEndian: Int32.self))
            case (TypeOID.int2, 2): Int64(bytes.load(bigEndian: Int16.self))
            case (TypeOID.oid, 4): Int64(bytes.load(bigEndian: UInt32.self))
            default: nil
            }
        }
    }

    /// Like ``bool(_:)``, nil for NULL.
    public func optionalBool(_ column: some ColumnKey) throws(RowError) -> Bool? {
        try decode(column, "a boolean") { type, bytes in type == TypeOID.bool && bytes.count == 1 ? bytes[0] != 0 : nil }
    }

    /// Like ``double(_:)``, nil for NULL.
    public func optionalDouble(_ column: some ColumnKey) throws(RowError) -> Double? {
        try decode(column, "a double") { type, bytes in
            switch (type, bytes.count) {
            case (TypeOID.float8, 8): Double(bitPattern: bytes.load(bigEndian: UInt64.self))
            case (TypeOID.float4, 4): Double(Float(bitPattern: bytes.load(bigEndian: UInt32.self)))
            default: nil
            }
        }
    }

    /// Like ``text(_:)``, nil for NULL.
    public func optionalText(_ column: some ColumnKey) throws(RowError) -> String? {
        try decode(column, "text") { type, bytes in
            ValueDecoder.textBytes(type, bytes).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Like ``bytes(_:)``, nil for NULL.
    public func optionalBytes(_ column: some ColumnKey) throws(RowError) -> [UInt8]? {
        try decode(column, "bytes") { type, bytes in
            type == TypeOID.bytea ? [UInt8](bytes) : ValueDecoder.textBytes(type, bytes).map { [UInt8]($0) }
        }
    }

    /// Lends a `bytea` or text without a copy; nil for NULL.
    public func withBytes<Result>(_ column: some ColumnKey, _ body: (Span<UInt8>) throws -> Result) throws -> Result? {
        let (position, cell) = try place(column)
        let type = storage.columns[position].type
        guard cell.length >= 0 else { return nil }
        var range = cell.offset..<cell.offset + Int(cell.length)
        if type != TypeOID.bytea {
            guard ValueDecoder.isText(type) else { throw mismatch(position, "bytes") }
            if type == TypeOID.jsonb { range = range.dropFirst() }
        }
        let all = storage.bytes
        let span = all.span
        return try body(span.extracting(range))
    }

    /// Like ``uuid(_:)``, nil for NULL.
    public func optionalUUID(_ column: some ColumnKey) throws(RowError) -> [UInt8]? {
        try decode(column, "a UUID") { type, bytes in type == TypeOID.uuid && bytes.count == 16 ? [UInt8](bytes) : nil }
    }

    /// Like ``timestamp(_:)``, nil for NULL.
    public func optionalTimestamp(_ column: some ColumnKey) throws(RowError) -> Int64? {
        let raw = try decode(column, "a timestamp") { type, bytes in
            (type == TypeOID.timestamptz || type == TypeOID.timestamp) && bytes.count == 8 ? bytes.load(bigEndian: Int64.self) : nil
        }
        guard let raw else { return nil }
        guard let moment = Timestamp.fromServer(raw) else {
            throw .outOfRange(column: storage.columns[try place(column).0].name, wanted: "microseconds since 1970")
        }
        return moment
    }

    /// Like ``numeric(_:)``, nil for NULL.
    public func optionalNumeric(_ column: some ColumnKey) throws(RowError) -> String? {
        try decode(column, "a numeric") { type, bytes in type == TypeOID.numeric ? Numeric.text(bytes) : nil }
    }

    /// Like ``int128(_:)``, nil for NULL.
    public func optionalInt128(_ column: some ColumnKey) throws(RowError) -> Int128? {
        let position = try place(column).0
        guard storage.columns[position].type == TypeOID.numeric else { return try optionalInt(position).map { Int128($0) } }
        guard let text = try optionalNumeric(position) else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1)
        guard let whole = parts.first.flatMap({ Int128($0) }), parts.count == 1 || parts[1].utf8.allSatisfy({ $0 == 48 }) else {
            throw .outOfRange(column: storage.columns[position].name, wanted: "a whole number of 128 bits")
        }
        return whole
    }

    /// The cell as the column's type says; raw bytes for a type without a case of its own.
    public func value(_ column: some ColumnKey) throws(RowError) -> PostgresValue {
        let (position, cell) = try place(column)
        guard cell.length >= 0 else { return .null }
        let type = storage.columns[position].type
        let decoded = withRaw(cell) { ValueDecoder.value(type, $0) }
        guard let decoded else { throw .malformed(column: storage.columns[position].name, type: TypeOID.describe(type)) }
        return decoded
    }

    /// An array of integers, none of them NULL.
    public func intArray(_ column: some ColumnKey) throws(RowError) -> [Int64] {
        switch try value(column) {
        case .int8Array(let items): return items
        case .int8ArrayWithNulls, .null: throw .unexpectedNull(column: storage.columns[try place(column).0].name)
        default: throw mismatch(try place(column).0, "an array of integers")
        }
    }

    /// An array of texts, none of them NULL.
    public func textArray(_ column: some ColumnKey) throws(RowError) -> [String] {
        switch try value(column) {
        case .textArray(let items): return items
        case .textArrayWithNulls, .null: throw .unexpectedNull(column: storage.columns[try place(column).0].name)
        default: throw mismatch(try place(column).0, "an array of texts")
        }
    }

    /// An array of byte strings, none of them NULL.
    public func byteaArray(_ column: some ColumnKey) throws(RowError) -> [[UInt8]] {
        switch try value(column) {
        case .byteaArray(let items): return items
        case .byteaArrayWithNulls, .null: throw .unexpectedNull(column: storage.columns[try place(column).0].name)
        default: throw mismatch(try place(column).0, "an array of bytea")
        }
    }
}

extension Row {
    private func place(_ column: some ColumnKey) throws(RowError) -> (Int, (offset: Int, length: Int32)) {
        let position = try column.index(in: storage.columns)
        return (position, storage.cells[index * storage.columns.count + position])
    }

    private func cell(_ column: some ColumnKey) throws(RowError) -> (offset: Int, length: Int32) { try place(column).1 }

    private func withRaw<Value>(_ cell: (offset: Int, length: Int32), _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        storage.bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[cell.offset..<cell.offset + Int(cell.length)])) }
    }

    /// Decodes a cell that is not NULL; `body` gives nil for a type that does not go with what was asked for.
    private func decode<Value>(
        _ column: some ColumnKey, _ wanted: String, _ body: (UInt32, UnsafeRawBufferPointer) -> Value?
    ) throws(RowError) -> Value? {
        let (position, cell) = try place(column)
        guard cell.length >= 0 else { return nil }
        let type = storage.columns[position].type
        guard let value = withRaw(cell, { body(type, $0) }) else { throw mismatch(position, wanted) }
        return value
    }

    private func mismatch(_ position: Int, _ wanted: String) -> RowError {
        let column = storage.columns[position]
        return .typeMismatch(column: column.name, wanted: wanted, found: TypeOID.describe(column.type))
    }

    private func present<Value>(_ value: Value?, _ column: some ColumnKey) throws(RowError) -> Value {
        guard let value else { throw .unexpectedNull(column: storage.columns[try place(column).0].name) }
        return value
    }
}
