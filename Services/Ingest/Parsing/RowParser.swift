public import IngestDomain
internal import IngestDocuments

/// Reads a file piece by piece. What it keeps between pieces is bounded.
public protocol RowParser {
    /// Takes the next piece and gives the rows that are complete.
    mutating func feed(_ piece: [UInt8]) throws(ParsingError) -> [ParsedRow]

    /// The file has ended: gives what is left.
    mutating func finish() throws(ParsingError) -> [ParsedRow]
}

/// Why a whole file cannot be read.
public enum ParsingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file is not what its format says, or is cut off.
    case malformed(file: String, reason: String)
    /// It holds more than may be taken in.
    case tooLarge(file: String, what: String, limit: Int)
    /// It is not UTF-8, from this byte on, counted from 1.
    case notUTF8(file: String, byte: Int)
    /// The program that reads this kind of file is missing here.
    case noReader(file: String, reason: String)

    /// A sentence that names the file.
    public var description: String {
        switch self {
        case .malformed(let file, let reason): "\(file): \(reason)"
        case .tooLarge(let file, let what, let limit): "\(file): \(what) exceeds \(limit)"
        case .notUTF8(let file, let byte): "\(file): byte \(byte) is not UTF-8"
        case .noReader(let file, let reason): "\(file) cannot be read here: \(reason)"
        }
    }

    /// What is said of the file.
    public var code: ReasonCode {
        switch self {
        case .notUTF8: .invalidEncoding
        default: .malformed
        }
    }
}

/// Bounds that hold for every format.
public enum ParsingLimits {
    /// The most bytes of a row: 1 MiB. A longer one is refused, and skipped without being kept.
    public static let row = 1 << 20
    /// The most bytes of a document that has to be read whole: 64 MiB.
    public static let document = DocumentLimits.document
    /// The most bytes of text out of a document: 32 MiB.
    public static let text = DocumentLimits.text
    /// The most rows of one file.
    public static let rows = 10_000_000
    /// The most bytes of a passage that a document is cut into.
    public static let passage = 8_000
    /// The most columns of a table.
    static let columns = 1_000
}
