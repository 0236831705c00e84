/// Sends rows of a COPY as they are made, in pieces, so that a copy of any length needs little memory.
public struct CopyWriter {
    private var copy: BinaryCopy
    private let send: ([UInt8]) throws(PostgresError) -> Void
    /// Bytes that are gathered before they are sent.
    private static let threshold = 64 * 1024

    init(columns: Int, send: @escaping ([UInt8]) throws(PostgresError) -> Void) {
        copy = BinaryCopy(columns: columns, capacity: Self.threshold + 4096)
        self.send = send
    }

    /// Rows written so far.
    public var rows: Int { copy.rows }

    /// Writes a row; `body` appends one value per column.
    /// - Throws: ``PostgresError`` for a row that has not one value per column, or a connection that broke.
    public mutating func row(_ body: (inout BinaryCopy) throws -> Void) throws {
        copy.startRow()
        try body(&copy)
        try copy.check()
        if copy.size >= Self.threshold { try flush() }
    }

    mutating func flush() throws(PostgresError) {
        try copy.check()
        try send(copy.bytes)
        copy.dropSent()
    }
}
