/// What the tables of a projection are called in SQL at this moment: the live ones, or those of a rebuild.
public struct TableNames: Sendable, Hashable {
    /// The schema that holds the tables now.
    public let schema: String
    private let names: Set<String>

    init(_ projection: some Projection, schema: String? = nil) {
        self.schema = schema ?? projection.schema
        names = Set(projection.tables)
    }

    /// The table with its schema, quoted, to be put into a statement's text.
    ///
    /// A table that the projection does not declare is a mistake in the source and traps: a rebuild would write to the live one.
    public subscript(table: String) -> String {
        precondition(names.contains(table), "the projection does not declare a table \(table)")
        return SQLName.quoted(schema) + "." + SQLName.quoted(table)
    }
}

/// Names in SQL.
enum SQLName {
    /// Whether a name needs no care: a letter, then letters, digits and `_`, in lower case.
    static func isPlain(_ name: String) -> Bool {
        guard let first = name.utf8.first, (97...122).contains(first) else { return false }
        return name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
    }

    /// The name in quotation marks, so that it may be a key word. Only for plain names.
    static func quoted(_ name: String) -> String {
        precondition(isPlain(name), "\(name) is no plain name")
        return "\"\(name)\""
    }
}
