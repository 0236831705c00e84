/// A statement's result, copied out of libpq in one piece: one buffer of bytes and the places of the cells in it.
public struct Rows: Sendable, RandomAccessCollection {
    /// A column of the result.
    public struct Column: Sendable, Equatable {
        /// As the statement names it.
        public let name: String
        /// The OID of its type in `pg_type`.
        public let type: UInt32
    }

    let storage: RowStorage
    /// How many rows an INSERT, UPDATE, DELETE, COPY or SELECT touched; 0 for other commands.
    public let affected: Int

    /// The columns in order.
    public var columns: [Column] { storage.columns }
    /// The first row's index, 0.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { storage.count }
    /// One row; an index outside traps, as an array's does.
    public subscript(index: Int) -> Row {
        precondition(index >= 0 && index < storage.count, "no row \(index); the result has \(storage.count)")
        return Row(storage: storage, index: index)
    }

    /// The only row of a result that must have exactly one.
    public func one() throws(RowError) -> Row {
        guard storage.count == 1 else { throw .notOneRow(count: storage.count) }
        return self[0]
    }

    /// A column's index, for a loop that would otherwise look it up by name in every row.
    public func column(_ name: String) throws(RowError) -> Int { try name.index(in: columns) }
}

/// What all the rows of a result share.
final class RowStorage: Sendable {
    let columns: [Rows.Column]
    let count: Int
    let bytes: [UInt8]
    /// Per cell, row by row: its offset in `bytes` and its length, -1 for NULL.
    let cells: [(offset: Int, length: Int32)]

    init(columns: [Rows.Column], count: Int, bytes: [UInt8], cells: [(offset: Int, length: Int32)]) {
        self.columns = columns
        self.count = count
        self.bytes = bytes
        self.cells = cells
    }
}

/// A column's name, or its index counted from 0.
public protocol ColumnKey: Sendable {
    /// The index among `columns`.
    func index(in columns: [Rows.Column]) throws(RowError) -> Int
}

extension Int: ColumnKey {
    /// Itself, when there is such a column.
    public func index(in columns: [Rows.Column]) throws(RowError) -> Int {
        guard columns.indices.contains(self) else { throw .noSuchColumn("\(self)", available: columns.map(\.name)) }
        return self
    }
}

extension String: ColumnKey {
    /// The first column of this name.
    public func index(in columns: [Rows.Column]) throws(RowError) -> Int {
        guard let index = columns.firstIndex(where: { $0.name == self }) else {
            throw .noSuchColumn(self, available: columns.map(\.name))
        }
        return index
    }
}
