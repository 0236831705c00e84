/// A NOTICE, WARNING or the like that the server sent beside its answers.
public struct PostgresNotice: Sendable, Equatable {
    /// `NOTICE`, `WARNING`, `INFO`, …; not translated.
    public var severity: String
    /// The condition.
    public var code: SQLState
    /// The primary message.
    public var message: String

    /// A notice, for instance in a test.
    public init(severity: String, code: SQLState, message: String) {
        self.severity = severity
        self.code = code
        self.message = message
    }
}

/// What is done with notices. It is called on the connection's thread and holds it up.
public typealias PostgresNoticeHandler = @Sendable (PostgresNotice) -> Void
