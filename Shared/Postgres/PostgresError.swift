/// What the server, or the connection to it, reported.
public struct PostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The condition.
    public var code: SQLState
    /// The server's primary message.
    public var message: String
    /// More about the condition. It can quote values of the row, so it is not part of ``description``.
    public var detail: String?
    /// What the server suggests.
    public var hint: String?
    /// The schema of the table, where the condition concerns one.
    public var schema: String?
    /// The table, where the condition concerns one.
    public var table: String?
    /// The column, where the condition concerns one.
    public var column: String?
    /// The constraint that refused, where one did.
    public var constraint: String?
    /// The statement's name, or the start of its SQL where it has none.
    public var statement: String?
    /// The character of the statement's text that the error is about, counted from 1.
    public var position: Int?
    /// Which item of a pipeline failed, counted from 0.
    public var pipelineIndex: Int?

    /// An error of our own making, in the server's terms.
    public init(_ code: SQLState, _ message: String, statement: String? = nil) {
        self.code = code
        self.message = message
        self.statement = statement
    }

    /// Whether the same transaction, run again from its start, may succeed.
    public var isRetriable: Bool { code == .serializationFailure || code == .deadlockDetected }

    /// Whether the connection is gone, so that what was in flight may or may not have been committed.
    public var isConnectionLost: Bool {
        code.category == "08" || code == .adminShutdown || code == .crashShutdown || code == .cannotConnectNow
    }

    /// Code, message and what it concerns, without values of rows.
    public var description: String {
        var text = "\(message) (SQLSTATE \(code)"
        if let constraint { text += ", constraint \(constraint)" }
        if let table { text += ", table \(schema.map { $0 + "." } ?? "")\(table)" }
        if let column { text += ", column \(column)" }
        if let pipelineIndex { text += ", item \(pipelineIndex) of the pipeline" }
        if let statement { text += ", in \(statement)" }
        text += ")"
        if let hint { text += "; hint: \(hint)" }
        return text
    }
}
