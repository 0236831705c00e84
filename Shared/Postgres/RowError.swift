/// Why a column could not be read as what was asked for.
public enum RowError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The result has no such column; `available` are those it has.
    case noSuchColumn(String, available: [String])
    /// The result has not exactly one row, but so many.
    case notOneRow(count: Int)
    /// The column is NULL in this row.
    case unexpectedNull(column: String)
    /// The column holds another type.
    case typeMismatch(column: String, wanted: String, found: String)
    /// The value does not fit what was asked for.
    case outOfRange(column: String, wanted: String)
    /// The bytes are not what the column's type says.
    case malformed(column: String, type: String)

    /// The column and what is wrong with it.
    public var description: String {
        switch self {
        case .noSuchColumn(let name, let available): "no column \(name); the result has \(available.joined(separator: ", "))"
        case .notOneRow(let count): "one row was expected; the result has \(count)"
        case .unexpectedNull(let column): "column \(column) is NULL"
        case .typeMismatch(let column, let wanted, let found): "column \(column) is \(found), read as \(wanted)"
        case .outOfRange(let column, let wanted): "column \(column) does not fit \(wanted)"
        case .malformed(let column, let type): "column \(column) is no valid binary \(type)"
        }
    }
}
