public import IngestDomain

/// What comes of a row, or a passage, of an uploaded file.
public enum ParsedRow: Sendable, Hashable {
    /// A content to be screened.
    case content(ItemContent)
    /// A row that could not be read: why, and how it begins.
    case refused(RefusedRow)

    /// The row, or the passage, in its file.
    public var row: Int {
        switch self {
        case .content(let content): content.row
        case .refused(let row): row.row
        }
    }

    /// About how much memory it takes.
    public var bytes: Int {
        switch self {
        case .content(let content): 200 + content.bytes
        case .refused(let row): 200 + row.beginning.count
        }
    }
}

/// A row that could not be read.
public struct RefusedRow: Sendable, Hashable {
    /// The file.
    public let file: String
    /// The row, from 1; 0 when it is the whole file.
    public let row: Int
    /// The code.
    public let code: ReasonCode
    /// What is wrong, in words.
    public let reason: String
    /// The row's first bytes, at most 4 KiB.
    public let beginning: [UInt8]

    /// From its parts; the beginning is cut.
    public init(file: String, row: Int, code: ReasonCode, reason: String, beginning: some Sequence<UInt8>) {
        self.file = file
        self.row = row
        self.code = code
        self.reason = reason
        self.beginning = Array(beginning.prefix(4096))
    }
}
