/// SQL with parameters `$1`, `$2`, …; prepared once per connection and then run by name.
///
/// A literal makes one, but an interpolated string does not: a value can only travel as a parameter.
public struct Statement: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The text as the server gets it.
    public let sql: String
    /// What errors call it.
    public let name: String?
    private let hash: Int

    /// - Parameters:
    ///   - sql: one statement. Several in one text need ``PostgresSession/executeScript(_:)``.
    ///   - name: what errors call it; the start of the SQL where nil.
    public init(_ sql: String, name: String? = nil) {
        self.sql = sql
        self.name = name
        // Hashed once: a statement is mostly a constant that is looked up for every execution.
        self.hash = sql.hashValue
    }

    /// A statement without a name.
    public init(stringLiteral value: String) { self.init(value) }

    /// Same SQL: what it is called does not matter.
    public static func == (left: Statement, right: Statement) -> Bool { left.hash == right.hash && left.sql == right.sql }

    /// Feeds the SQL's hash.
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    /// The name, or the start of the SQL.
    public var description: String {
        if let name { return name }
        let line = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > 60 ? String(line.prefix(59)) + "…" : line
    }
}
