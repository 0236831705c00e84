/// A connection as its own thread sees it: every call blocks until the server has answered.
///
/// It is lent to the closure of ``PostgresConnection/withSession(_:)``, which hops to the thread once and then does a whole batch.
/// Not Sendable: it can't leave that closure.
public final class PostgresSession {
    let raw: RawConnection
    private var cache: StatementCache
    private var parameters = ParameterBuffer()
    private(set) var isBroken = false

    init(_ raw: RawConnection, cacheSize: Int) {
        self.raw = raw
        cache = StatementCache(limit: cacheSize)
    }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { raw.isInTransaction }
    /// The backend's process, as `pg_stat_activity` has it.
    public var backendIdentifier: Int32 { raw.backendIdentifier }
    /// Whether the line is encrypted.
    public var usesTLS: Bool { raw.usesTLS }
    /// How many statements are prepared now.
    public var preparedCount: Int { cache.count }

    /// Runs a statement with its parameters, prepared on the first use.
    /// - Throws: ``PostgresError``.
    @discardableResult
    public func execute(_ statement: Statement, _ values: [PostgresValue] = []) throws(PostgresError) -> Rows {
        try guarded(statement) { () throws(PostgresError) in
            do throws(PostgresError) {
                return try executeOnce(statement, values)
            } catch {
                // The server dropped the plan or the table changed under it: prepare it anew, where no transaction was lost by it.
                guard isStale(error), !raw.isInTransaction else { throw error }
                return try executeOnce(statement, values)
            }
        }
    }

    private func executeOnce(_ statement: Statement, _ values: [PostgresValue]) throws(PostgresError) -> Rows {
        let entry = try prepared(statement, since: .max)
        parameters.reset()
        try parameters.append(values, types: entry.types, statement: statement)
        do {
            return try raw.execute(entry.name, parameters, statement)
        } catch {
            forgetIfStale(statement, entry.name, error)
            throw error
        }
    }

    /// Runs all in one round trip and one implicit transaction: either all of it is committed, or the error names the item that
    /// failed by ``PostgresError/pipelineIndex`` and nothing is. Inside ``begin(isolation:readOnly:)`` it is part of that transaction.
    /// - Parameter meanwhile: is called once all is sent: what it does costs no time while the server is busy. It can't use this session.
    public func pipeline(_ items: [(Statement, [PostgresValue])], meanwhile: () -> Void = {}) throws(PostgresError) -> [Rows] {
        if items.isEmpty { return [] }
        return try guarded(nil) { () throws(PostgresError) in
            let moment = cache.now
            parameters.reset()
            var named: [(name: String, statement: Statement)] = []
            named.reserveCapacity(items.count)
            for (index, (statement, values)) in items.enumerated() {
                do throws(PostgresError) {
                    let entry = try prepared(statement, since: moment)
                    try parameters.append(values, types: entry.types, statement: statement)
                    named.append((entry.name, statement))
                } catch {
                    var error = error
                    error.pipelineIndex = index
                    throw error
                }
            }
            do throws(PostgresError) {
                return try raw.pipeline(named, parameters, meanwhile: meanwhile)
            } catch {
                if let index = error.pipelineIndex { forgetIfStale(items[index].0, named[index].name, error) }
                throw error
            }
        }
    }

    /// Runs a text of one or more statements without parameters. Never put a value into it.
    /// - Returns: how many rows the last statement touched.
    @discardableResult
    public func executeScript(_ sql: String) throws(PostgresError) -> Int {
        let label = Statement(sql)
        return try guarded(label) { () throws(PostgresError) in try raw.run(sql, label) }
    }

    // MARK: Transactions

    /// Begins a transaction.
    public func begin(isolation: IsolationLevel = .readCommitted, readOnly: Bool = false) throws(PostgresError) {
        guard !raw.isInTransaction else { throw PostgresError(.protocolViolation, "a transaction is open already") }
        _ = try guarded(nil) { () throws(PostgresError) in
            try raw.run("begin isolation level \(isolation.rawValue)\(readOnly ? " read only" : "")")
        }
    }

    /// Commits. A transaction that an error has aborted is rolled back by the server, and that is thrown as an error.
    public func commit() throws(PostgresError) {
        let aborted = raw.isAborted
        _ = try guarded(nil) { () throws(PostgresError) in try raw.run("commit") }
        if aborted { throw PostgresError(.transactionAborted, "the commit became a rollback: an earlier statement had failed") }
    }

    /// Rolls back; nothing where no transaction is open. A connection that can't is marked broken.
    public func rollback() {
        guard raw.isInTransaction else { return }
        do { try raw.run("rollback") } catch { isBroken = true }
        if raw.isInTransaction { isBroken = true }
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    @discardableResult
    public func transaction<Result>(
        isolation: IsolationLevel = .readCommitted, readOnly: Bool = false, _ body: (PostgresSession) throws -> Result
    ) throws -> Result {
        try begin(isolation: isolation, readOnly: readOnly)
        do {
            let result = try body(self)
            try commit()
            return result
        } catch {
            rollback()
            throw error
        }
    }

    // MARK: COPY

    /// Sends rows by `COPY … FROM STDIN (FORMAT binary)`.
    /// - Returns: the number of rows the server took.
    @discardableResult
    public func copyIn(_ sql: String, payload: BinaryCopy) throws(PostgresError) -> Int {
        try payload.check()
        let statement = Statement(sql)
        return try guarded(statement) { () throws(PostgresError) in
            try startCopy(sql, statement, columns: payload.columns)
            try raw.putCopy(payload.bytes, statement)
            try raw.putCopy(BinaryCopy.trailer, statement)
            try raw.sendCopyEnd(statement)
            return try raw.endCopyIn(statement)
        }
    }

    /// Several copies by one script, such as `select check(1); copy a from stdin (format binary); copy b from stdin (format
    /// binary)`: one transaction, unless one is open already, and hardly more round trips than one copy. The script ends with
    /// its last copy, so that a commit that fails is seen.
    /// - Parameter meanwhile: is called once, when the server has all rows of the first copy and has not answered yet: what
    ///   it does costs no time while the server is busy. It can't use this session.
    public func copyIn(script sql: String, payloads: [BinaryCopy], meanwhile: () -> Void = {}) throws(PostgresError) {
        for payload in payloads { try payload.check() }
        let statement = Statement(sql)
        try guarded(statement) { () throws(PostgresError) in
            for (index, payload) in payloads.enumerated() {
                let wanted = index == 0 ? try raw.startCopyIn(sql, statement) : try raw.nextCopyIn(statement)
                try checkColumns(wanted, payload.columns, statement)
                try raw.putCopy(payload.bytes, statement)
                try raw.putCopy(BinaryCopy.trailer, statement)
                try raw.sendCopyEnd(statement)
                if index == 0 { meanwhile() }
            }
            _ = try raw.endCopyIn(statement)
        }
    }

    /// The same for rows that `body` writes one by one; what it throws abandons the copy and nothing is kept.
    @discardableResult
    public func copyIn(_ sql: String, columns: Int, _ body: (inout CopyWriter) throws -> Void) throws -> Int {
        let statement = Statement(sql)
        try startCopy(sql, statement, columns: columns)
        do {
            let raw = self.raw
            var writer = CopyWriter(columns: columns) { (bytes) throws(PostgresError) in try raw.putCopy(bytes, statement) }
            try body(&writer)
            try writer.flush()
            try raw.putCopy(BinaryCopy.trailer, statement)
        } catch {
            raw.abandonCopyIn("abandoned by the client")
            noteState()
            throw error
        }
        return try guarded(statement) { () throws(PostgresError) in
            try raw.sendCopyEnd(statement)
            return try raw.endCopyIn(statement)
        }
    }

    private func startCopy(_ sql: String, _ statement: Statement, columns: Int) throws(PostgresError) {
        try checkColumns(try guarded(statement) { () throws(PostgresError) in try raw.startCopyIn(sql, statement) }, columns, statement)
    }

    private func checkColumns(_ wanted: Int, _ columns: Int, _ statement: Statement) throws(PostgresError) {
        guard wanted == columns else {
            raw.abandonCopyIn("wrong number of columns")
            throw PostgresError(
                .badCopyFileFormat, "the table takes \(wanted) columns, the copy has \(columns)", statement: statement.description)
        }
    }

    /// Gives the data of `COPY … TO STDOUT (FORMAT binary)` in pieces, as a file or another server's ``copyIn(_:payload:)`` would take it.
    /// - Returns: the number of rows.
    @discardableResult
    public func copyOut(_ sql: String, chunkSize: Int = 64 * 1024, onChunk: ([UInt8]) throws -> Void) throws -> Int {
        try guarded(nil) { () throws(PostgresError) in }
        defer { noteState() }
        return try raw.copyOut(sql, Statement(sql), chunk: max(1, chunkSize), onChunk)
    }

    // MARK: Housekeeping

    /// Whether the server still answers.
    func isAlive() -> Bool {
        guard !isBroken, raw.consumeInput(), raw.isIdle else { return false }
        return (try? raw.run("")) != nil && raw.isUsable
    }

    /// Makes the session fit for the next user: an open transaction is rolled back.
    func tidy() {
        rollback()
        noteState()
    }

    private func noteState() { if !raw.isUsable || raw.isInPipeline { isBroken = true } }

    private func guarded<Result>(_ statement: Statement?, _ body: () throws(PostgresError) -> Result) throws(PostgresError) -> Result {
        guard !isBroken else { throw PostgresError(.connectionLost, "the connection is lost", statement: statement?.description) }
        defer { noteState() }
        _ = raw.takeUnconfirmedCommit()
        let result = try body()
        guard !raw.takeUnconfirmedCommit() else {
            throw PostgresError(
                .warning, "the wait for a synchronous standby was cancelled: this was committed here, and perhaps nowhere else",
                statement: statement?.description)
        }
        return result
    }

    private func prepared(_ statement: Statement, since moment: UInt64) throws(PostgresError) -> StatementCache.Entry {
        if let entry = cache.find(statement) { return entry }
        while !raw.isAborted, let (victim, name) = cache.victim(since: moment) {
            cache.forget(victim)
            try raw.run("deallocate \(name)")
        }
        let name = cache.nextName()
        let types = try raw.prepare(statement.sql, as: name, describing: statement)
        return cache.insert(statement, name, types)
    }

    private func isStale(_ error: PostgresError) -> Bool {
        error.code == .invalidStatementName
            || error.code == .featureNotSupported && error.message.contains("cached plan")
    }

    private func forgetIfStale(_ statement: Statement, _ name: String, _ error: PostgresError) {
        guard isStale(error) else { return }
        cache.forget(statement)
        if error.code != .invalidStatementName, !raw.isInTransaction { _ = try? raw.run("deallocate \(name)") }
    }
}

/// How much transactions that run at the same time see of one another (PostgreSQL manual, 13.2).
public enum IsolationLevel: String, Sendable {
    /// Each statement sees what was committed before it.
    case readCommitted = "read committed"
    /// The transaction sees one moment.
    case repeatableRead = "repeatable read"
    /// As if transactions ran one after the other; what can't be put in an order fails with 40001 and is run again.
    case serializable
}
