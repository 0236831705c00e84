internal import Synchronization
internal import Threads

/// One connection to a server, on a thread of its own: its calls never hold up the cooperative pool.
///
/// It is for one task at a time; several tasks share a ``PostgresPool``. Cancelling the task stops the statement at the server
/// and throws `CancellationError`.
public actor PostgresConnection {
    private let executor: ThreadExecutor
    private nonisolated let shared: ConnectionState
    private var session: PostgresSession?
    private var token: CancelToken?

    /// The connection's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(_ configuration: PostgresConfiguration) {
        executor = ThreadExecutor(name: "pg-\(configuration.applicationName)")
        shared = ConnectionState()
    }

    deinit { executor.stop() }

    /// Connects and logs in.
    /// - Parameter notice: gets the server's notices; they are dropped where nil.
    /// - Throws: ``PostgresError``; its code tells a refused log-in (`28P01`, `28000`, `3D000`) from a server that can't be reached (`08001`).
    public static func connect(
        _ configuration: PostgresConfiguration, notice: PostgresNoticeHandler? = nil
    ) async throws -> PostgresConnection {
        try await connect(configuration, notice: notice) { false }
    }

    /// The same, given up when `isUnwanted` says so; it is asked some times a second.
    static func connect(
        _ configuration: PostgresConfiguration, notice: PostgresNoticeHandler?, isUnwanted: @escaping @Sendable () -> Bool
    ) async throws -> PostgresConnection {
        let connection = PostgresConnection(configuration)
        let abandoned = Flag()
        try await withTaskCancellationHandler {
            try await connection.open(configuration, notice) { abandoned.isSet || isUnwanted() }
        } onCancel: {
            abandoned.set()
        }
        return connection
    }

    private func open(_ configuration: PostgresConfiguration, _ notice: PostgresNoticeHandler?, _ isAbandoned: @Sendable () -> Bool) throws
    {
        do {
            let raw = try RawConnection(configuration, notice: notice, isAbandoned: isAbandoned)
            token = CancelToken(raw.canceller())
            shared.opened(socket: raw.socket, backend: raw.backendIdentifier)
            session = PostgresSession(raw, cacheSize: configuration.statementCacheSize)
        } catch {
            if isAbandoned() { throw CancellationError() }
            throw error
        }
    }

    /// Ends the connection; later calls fail.
    public func close() {
        session = nil
        shared.closed()
    }

    /// Whether the connection can't be used any more.
    public nonisolated var isBroken: Bool { shared.isBroken }
    nonisolated var isInTransaction: Bool { shared.owner != nil }
    nonisolated var hasUnexpectedInput: Bool { shared.hasUnexpectedInput }
    nonisolated var age: Duration { ContinuousClock.now - shared.made }
    /// The backend's process, as `pg_stat_activity` has it.
    public nonisolated var backendIdentifier: Int32 { shared.backend }

    // MARK: Statements

    /// Runs a statement with its parameters, prepared on the first use.
    /// - Throws: ``PostgresError``, or `CancellationError` when the task was cancelled.
    @discardableResult
    public nonisolated func execute(_ statement: Statement, _ values: [PostgresValue] = []) async throws -> Rows {
        try await withSession { try $0.execute(statement, values) }
    }

    /// Runs all in one round trip and one implicit transaction; see ``PostgresSession/pipeline(_:)``.
    public nonisolated func pipeline(_ items: [(Statement, [PostgresValue])]) async throws -> [Rows] {
        try await withSession { try $0.pipeline(items) }
    }

    /// Runs a text of one or more statements without parameters. Never put a value into it.
    @discardableResult
    public nonisolated func executeScript(_ sql: String) async throws -> Int {
        try await withSession { try $0.executeScript(sql) }
    }

    /// Sends rows by `COPY … FROM STDIN (FORMAT binary)`; gives the number of rows the server took.
    @discardableResult
    public nonisolated func copyIn(_ sql: String, payload: BinaryCopy) async throws -> Int {
        try await withSession { try $0.copyIn(sql, payload: payload) }
    }

    /// The same for rows that `body` writes one by one, on the connection's thread.
    @discardableResult
    public nonisolated func copyIn(
        _ sql: String, columns: Int, _ body: @escaping @Sendable (inout CopyWriter) throws -> Void
    ) async throws -> Int {
        try await withSession { try $0.copyIn(sql, columns: columns, body) }
    }

    /// Gives the data of `COPY … TO STDOUT (FORMAT binary)` in pieces, on the connection's thread.
    @discardableResult
    public nonisolated func copyOut(_ sql: String, onChunk: @escaping @Sendable ([UInt8]) throws -> Void) async throws -> Int {
        try await withSession { try $0.copyOut(sql, onChunk: onChunk) }
    }

    /// Runs `body` on the connection's thread with its session: one hop for a whole batch of calls that wait. A transaction that
    /// `body` leaves open is rolled back.
    @discardableResult
    public nonisolated func withSession<Result: Sendable>(
        _ body: @escaping @Sendable (PostgresSession) throws -> Result
    ) async throws -> Result {
        try await perform(owner: nil, body)
    }

    // MARK: Transactions

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws or the task is cancelled.
    ///
    /// Inside, use the transaction that `body` gets. A call on the connection itself while the transaction is open is an error.
    @discardableResult
    public nonisolated(nonsending) func transaction<Result>(
        isolation: IsolationLevel = .readCommitted, readOnly: Bool = false,
        _ body: nonisolated(nonsending) (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        let transaction = PostgresTransaction(connection: self, identifier: shared.nextOperation())
        let owner = transaction.identifier
        try await begin(owner, isolation, readOnly)
        do {
            let result = try await body(transaction)
            try await perform(owner: owner) { try $0.commit() }
            await end(owner)
            return result
        } catch {
            await end(owner)
            throw error
        }
    }

    private nonisolated func begin(_ owner: UInt64, _ isolation: IsolationLevel, _ readOnly: Bool) async throws {
        try await perform(owner: owner, opening: true) { try $0.begin(isolation: isolation, readOnly: readOnly) }
    }

    /// Rolls back what is still open. Not stopped by cancellation: the connection must come out clean.
    private func end(_ owner: UInt64) {
        guard shared.owner == owner else { return }
        session?.tidy()
        shared.owner = nil
        if session?.isBroken != false { shared.markBroken() }
    }

    // MARK: Housekeeping

    /// Whether the server still answers; for a pool, between two users.
    func isAlive() -> Bool {
        guard let session, shared.owner == nil, session.isAlive() else {
            shared.markBroken()
            return false
        }
        return true
    }

    /// Runs `body` on the thread such that cancelling the caller's task stops it.
    nonisolated func perform<Result: Sendable>(
        owner: UInt64?, opening: Bool = false, _ body: @escaping @Sendable (PostgresSession) throws -> Result
    ) async throws -> Result {
        let operation = shared.nextOperation()
        return try await withTaskCancellationHandler {
            try await run(operation, owner, opening, body)
        } onCancel: {
            shared.stop(operation)
        }
    }

    private func run<Result>(
        _ operation: UInt64, _ owner: UInt64?, _ opening: Bool, _ body: @Sendable (PostgresSession) throws -> Result
    ) throws -> Result {
        guard let session, let token else { throw PostgresError(.connectionLost, "the connection is closed") }
        if opening {
            guard shared.owner == nil else { throw busy }
        } else if shared.owner != owner {
            throw owner == nil ? busy : PostgresError(.protocolViolation, "the transaction is over")
        }
        token.begin(operation)
        shared.began(operation, token)
        defer {
            shared.ended()
            token.end()
            if owner == nil { session.tidy() }
            if session.isBroken { shared.markBroken() }
        }
        // Asked after `began`: a cancellation from here on finds the operation.
        try Task.checkCancellation()
        do {
            let result = try body(session)
            if opening { shared.owner = owner }
            return result
        } catch let error as PostgresError where error.code == .queryCanceled && Task.isCancelled {
            throw CancellationError()
        }
    }

    private var busy: PostgresError {
        PostgresError(.protocolViolation, "a transaction is open on this connection: use the transaction, or another connection of a pool")
    }
}
