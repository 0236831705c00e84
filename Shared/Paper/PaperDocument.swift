/// A document for people to read and print: headings, text and tables on A4 pages, as many as it takes.
public struct PaperDocument: Sendable, Hashable {
    /// A part of it, below the one before.
    public enum Block: Sendable, Hashable {
        /// A line in large letters.
        case heading(String)
        /// Text, broken into lines as the page is wide.
        case text(String)
        /// Two columns: what it is called, and what it is.
        case facts([(name: String, value: String)])
        /// Rows under a head that is repeated on each page.
        case table(PaperTable)

        /// Same kind, same texts.
        public static func == (left: Block, right: Block) -> Bool {
            switch (left, right) {
            case (.heading(let a), .heading(let b)), (.text(let a), .text(let b)): a == b
            case (.facts(let a), .facts(let b)): a.map(\.name) == b.map(\.name) && a.map(\.value) == b.map(\.value)
            case (.table(let a), .table(let b)): a == b
            default: false
            }
        }

        /// Feeds the texts.
        public func hash(into hasher: inout Hasher) {
            switch self {
            case .heading(let text), .text(let text): hasher.combine(text)
            case .facts(let facts): for fact in facts { hasher.combine(fact.name) }
            case .table(let table): hasher.combine(table)
            }
        }
    }

    /// What it is called, at the foot of each page and in the file.
    public var title: String
    /// When it was made, ISO 8601: it stands in the file, so the same document is the same bytes.
    public var made: String
    /// From top to bottom.
    public var blocks: [Block]

    /// A document from its parts.
    public init(title: String, made: String, blocks: [Block] = []) {
        self.title = title
        self.made = made
        self.blocks = blocks
    }

    /// The document as a PDF file. It takes a moment for each page and blocks: call it on a thread of its own.
    /// - Throws: ``PaperError`` when the drawing library has a fault, such as a text that is no Unicode.
    public func pdf() throws(PaperError) -> [UInt8] {
        let renderer = try PaperRenderer(self)
        renderer.draw(blocks)
        return try renderer.finish()
    }
}
