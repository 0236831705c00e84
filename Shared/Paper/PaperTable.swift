/// Rows of short texts in columns.
public struct PaperTable: Sendable, Hashable {
    /// A column.
    public struct Column: Sendable, Hashable {
        /// What stands in the head.
        public let title: String
        /// Its part of the page's width, among those of its neighbours.
        public let width: Double
        /// Whether its texts stand to the right, as numbers do.
        public let isNumber: Bool

        /// From its parts.
        public init(_ title: String, width: Double, isNumber: Bool = false) {
            self.title = title
            self.width = width
            self.isNumber = isNumber
        }
    }

    /// A row.
    public struct Row: Sendable, Hashable {
        /// One text for each column.
        public let cells: [String]
        /// Where the reader gets by clicking on it.
        public let link: String?

        /// From its parts.
        public init(_ cells: [String], link: String? = nil) {
            self.cells = cells
            self.link = link
        }
    }

    /// From left to right.
    public let columns: [Column]
    /// From top to bottom.
    public let rows: [Row]

    /// From its parts.
    public init(columns: [Column], rows: [Row]) {
        self.columns = columns
        self.rows = rows
    }
}
