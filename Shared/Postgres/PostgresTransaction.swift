/// An open transaction; of use only until the closure that got it returns.
public struct PostgresTransaction: Sendable {
    let connection: PostgresConnection
    let identifier: UInt64

    /// Runs a statement with its parameters, prepared on the first use.
    @discardableResult
    public func execute(_ statement: Statement, _ values: [PostgresValue] = []) async throws -> Rows {
        try await withSession { try $0.execute(statement, values) }
    }

    /// Runs all in one round trip; see ``PostgresSession/pipeline(_:)``.
    public func pipeline(_ items: [(Statement, [PostgresValue])]) async throws -> [Rows] {
        try await withSession { try $0.pipeline(items) }
    }

    /// Runs a text of one or more statements without parameters. Never put a value into it.
    @discardableResult
    public func executeScript(_ sql: String) async throws -> Int {
        try await withSession { try $0.executeScript(sql) }
    }

    /// Sends rows by `COPY … FROM STDIN (FORMAT binary)`; gives the number of rows the server took.
    @discardableResult
    public func copyIn(_ sql: String, payload: BinaryCopy) async throws -> Int {
        try await withSession { try $0.copyIn(sql, payload: payload) }
    }

    /// Runs `body` on the connection's thread with its session, inside the transaction.
    @discardableResult
    public func withSession<Result: Sendable>(_ body: @escaping @Sendable (PostgresSession) throws -> Result) async throws -> Result {
        try await connection.perform(owner: identifier, body)
    }
}
