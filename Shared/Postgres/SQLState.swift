/// The five characters by which PostgreSQL names a condition (PostgreSQL manual, appendix A).
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The five characters.
    public let rawValue: String

    /// Any code: the list below is only what callers ask for by name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The code's class, its first two characters: `23` is an integrity violation, `08` a broken connection.
    public var category: String { String(rawValue.prefix(2)) }

    /// The five characters.
    public var description: String { rawValue }

    /// Done, with a warning. As an error: a commit that no standby has confirmed, since the wait for it was cancelled.
    public static let warning = SQLState(rawValue: "01000")
    /// The server can't be reached.
    public static let connectionFailed = SQLState(rawValue: "08001")
    /// An established connection broke.
    public static let connectionLost = SQLState(rawValue: "08006")
    /// The server and we disagree on the protocol, or a call was made out of its order.
    public static let protocolViolation = SQLState(rawValue: "08P01")
    /// The server does not do this, or a prepared plan's result type changed.
    public static let featureNotSupported = SQLState(rawValue: "0A000")
    /// A number does not fit its type.
    public static let numericValueOutOfRange = SQLState(rawValue: "22003")
    /// Bytes that are no valid text, such as one that holds a NUL.
    public static let characterNotInRepertoire = SQLState(rawValue: "22021")
    /// A text that is no value of the type it is meant for.
    public static let invalidTextRepresentation = SQLState(rawValue: "22P02")
    /// Binary COPY data that the server can't read.
    public static let badCopyFileFormat = SQLState(rawValue: "22P04")
    /// NULL where the column forbids it.
    public static let notNullViolation = SQLState(rawValue: "23502")
    /// A reference to a row that is not there.
    public static let foreignKeyViolation = SQLState(rawValue: "23503")
    /// A row with this key is there already.
    public static let uniqueViolation = SQLState(rawValue: "23505")
    /// A CHECK refused the row.
    public static let checkViolation = SQLState(rawValue: "23514")
    /// A write inside a read-only transaction.
    public static let readOnlyTransaction = SQLState(rawValue: "25006")
    /// An earlier error aborted this transaction.
    public static let transactionAborted = SQLState(rawValue: "25P02")
    /// The prepared statement is unknown to the server.
    public static let invalidStatementName = SQLState(rawValue: "26000")
    /// The role may not log in.
    public static let invalidAuthorization = SQLState(rawValue: "28000")
    /// The password is wrong.
    public static let invalidPassword = SQLState(rawValue: "28P01")
    /// The database does not exist.
    public static let invalidCatalogName = SQLState(rawValue: "3D000")
    /// Concurrent transactions can't be put in an order: run this one again.
    public static let serializationFailure = SQLState(rawValue: "40001")
    /// A deadlock was broken by aborting this transaction: run it again.
    public static let deadlockDetected = SQLState(rawValue: "40P01")
    /// SQL that does not parse.
    public static let syntaxError = SQLState(rawValue: "42601")
    /// The role lacks a right.
    public static let insufficientPrivilege = SQLState(rawValue: "42501")
    /// A value of a type that does not go where it was put.
    public static let datatypeMismatch = SQLState(rawValue: "42804")
    /// No such column.
    public static let undefinedColumn = SQLState(rawValue: "42703")
    /// No such table.
    public static let undefinedTable = SQLState(rawValue: "42P01")
    /// The object exists already.
    public static let duplicateObject = SQLState(rawValue: "42710")
    /// All the server's connections are taken.
    public static let tooManyConnections = SQLState(rawValue: "53300")
    /// A lock could not be had in time.
    public static let lockNotAvailable = SQLState(rawValue: "55P03")
    /// The statement was cancelled, by us or by its timeout.
    public static let queryCanceled = SQLState(rawValue: "57014")
    /// The backend was told to go.
    public static let adminShutdown = SQLState(rawValue: "57P01")
    /// Another backend's crash took this one with it.
    public static let crashShutdown = SQLState(rawValue: "57P02")
    /// The server is starting or stopping.
    public static let cannotConnectNow = SQLState(rawValue: "57P03")
    /// A trigger or function raised an exception of its own.
    public static let raiseException = SQLState(rawValue: "P0001")
}
