internal import Crypto

/// One file of SQL that changes a service's schema.
public struct Migration: Sendable, Equatable, CustomStringConvertible {
    /// The service, which is the folder's name.
    public let service: String
    /// Its place in the service's order.
    public let number: Int
    /// What it does: the file's name between the number and `.sql`.
    public let name: String
    /// The file's text.
    public let sql: String
    /// SHA-256 of the file's bytes, in hex.
    public let checksum: String

    /// Whether it runs in a transaction: unless its first line is `-- openledger: no-transaction`, for statements that refuse
    /// one, such as CREATE INDEX CONCURRENTLY. Such a file holds one statement and can be run again after a crash.
    public var isTransactional: Bool {
        sql.prefix { !$0.isNewline }.split(separator: " ") != ["--", "openledger:", "no-transaction"]
    }

    /// The file's path below the folder of migrations.
    public var description: String { "\(service)/\(Self.padded(number))_\(name).sql" }

    /// - Parameters:
    ///   - file: the file's name, `NNNN_what.sql`.
    ///   - bytes: its content, UTF-8.
    init(service: String, file: String, bytes: [UInt8]) throws(MigrationError) {
        let path = "\(service)/\(file)"
        let stem = file.dropLast(4)
        let (digits, rest) = (stem.prefix(4), stem.dropFirst(4))
        let isName = rest.dropFirst().utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
        guard file.hasSuffix(".sql"), digits.utf8.count == 4, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits),
            rest.first == "_", rest.count > 1, isName
        else { throw .badFileName(path) }
        guard let sql = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else { throw .notText(path) }
        self.service = service
        self.number = number
        self.name = String(rest.dropFirst())
        self.sql = sql
        checksum = SHA256.hash(bytes).hex
    }

    static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

/// Why migrations can't be planned or applied. Each names the file.
public enum MigrationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The folder can't be read.
    case unreadable(String)
    /// A file is not called `NNNN_what.sql`.
    case badFileName(String)
    /// A file is not UTF-8 text.
    case notText(String)
    /// Two files of a service have one number.
    case duplicateNumber(String, String)
    /// A file was changed after it had been applied.
    case changed(String, applied: String, found: String)
    /// A file that was applied is gone.
    case missing(String)
    /// A new file comes before one that is applied already.
    case outOfOrder(String, applied: String)
    /// A file's SQL failed, at a line of it where the server knew one; nothing of it was kept, unless it opted out of the transaction.
    case failed(String, line: Int?, PostgresError)
    /// A file ends the transaction that it runs in.
    case endsTransaction(String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .unreadable(let path): "can't read \(path)"
        case .badFileName(let file): "\(file): a migration is called NNNN_what.sql, with a-z, 0-9, _ and - in what"
        case .notText(let file): "\(file) is not UTF-8 text"
        case .duplicateNumber(let first, let second): "\(first) and \(second) have the same number"
        case .changed(let file, let applied, let found):
            "\(file) was changed after it was applied (SHA-256 then \(applied), now \(found)): restore it and put the change into a new file"
        case .missing(let file): "\(file) was applied and is gone: restore it"
        case .outOfOrder(let file, let applied): "\(file) comes before \(applied), which is applied already: give it a higher number"
        case .failed(let file, let line, let error): "\(file)\(line.map { ":\($0)" } ?? ""): \(error)"
        case .endsTransaction(let file): "\(file) ends the transaction it runs in: leave BEGIN, COMMIT and ROLLBACK out"
        }
    }
}
