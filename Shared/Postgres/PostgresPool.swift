internal import Synchronization
internal import Threads

/// A bounded number of connections, lent to one task at a time, first come, first served.
///
/// Connections are made when somebody waits for one. One that broke is closed and another takes its place; while the server is
/// away, attempts are made at growing pauses and callers wait up to their lease timeout.
public final class PostgresPool: Sendable {
    let configuration: PostgresConfiguration
    let options: PoolOptions
    let notice: PostgresNoticeHandler?
    let state = Lock(PoolState())
    private let identifiers = Lock<UInt64>(0)

    /// - Parameter notice: gets the server's notices; they are dropped where nil.
    public init(_ configuration: PostgresConfiguration, options: PoolOptions = PoolOptions(), notice: PostgresNoticeHandler? = nil) {
        self.configuration = configuration
        self.options = options
        self.notice = notice
    }

    /// A pool of so many connections, the rest by default.
    public convenience init(_ configuration: PostgresConfiguration, size: Int) {
        self.init(configuration, options: PoolOptions(size: size))
    }

    /// Lends a connection to `body`. It is not for keeping.
    /// - Throws: what `body` throws, ``PoolError``, or the ``PostgresError`` of a log-in that the server refused.
    @discardableResult
    public nonisolated(nonsending) func withConnection<Result>(
        _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        let connection = try await lease()
        do {
            let result = try await body(connection)
            giveBack(connection)
            return result
        } catch {
            giveBack(connection)
            throw error
        }
    }

    /// Runs `body` in a transaction. One that the server can't put in an order with others, or that met a deadlock (`40001`, `40P01`),
    /// is run again after a short random pause: `body` may run several times, and must do nothing outside the transaction.
    /// - Parameter retries: how often it may be run again.
    @discardableResult
    public nonisolated(nonsending) func transaction<Result>(
        isolation: IsolationLevel = .readCommitted, readOnly: Bool = false, retries: Int = 5,
        _ body: nonisolated(nonsending) (PostgresTransaction) async throws -> Result
    ) async throws -> Result {
        var backoff = Backoff(initial: .milliseconds(5), maximum: .milliseconds(500))
        var left = retries
        while true {
            do {
                return try await withConnection { connection in
                    try await connection.transaction(isolation: isolation, readOnly: readOnly, body)
                }
            } catch let error as PostgresError where error.isRetriable && left > 0 {
                left -= 1
                // The connection went back before the pause: whoever we collided with may need it.
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    /// Runs one statement on any connection.
    @discardableResult
    public func execute(_ statement: Statement, _ values: [PostgresValue] = []) async throws -> Rows {
        try await withConnection { try await $0.execute(statement, values) }
    }

    /// Runs a text of one or more statements without parameters on any connection. Never put a value into it.
    @discardableResult
    public func executeScript(_ sql: String) async throws -> Int {
        try await withConnection { try await $0.executeScript(sql) }
    }

    /// Runs all in one round trip and one implicit transaction; see ``PostgresSession/pipeline(_:)``.
    public func pipeline(_ items: [(Statement, [PostgresValue])]) async throws -> [Rows] {
        try await withConnection { try await $0.pipeline(items) }
    }

    /// Runs `body` on a connection's thread with its session; see ``PostgresConnection/withSession(_:)``.
    @discardableResult
    public func withSession<Result: Sendable>(_ body: @escaping @Sendable (PostgresSession) throws -> Result) async throws -> Result {
        try await withConnection { try await $0.withSession(body) }
    }

    /// The figures of this moment.
    public var metrics: PoolMetrics {
        state.withLock {
            PoolMetrics(
                size: $0.total, idle: $0.idle.count, leased: $0.leased, waiting: $0.waiters.count, created: $0.created,
                failed: $0.failed, lost: $0.lost, timedOut: $0.timedOut)
        }
    }

    /// Refuses new callers, fails those that wait, and returns when every lent connection has come back and all are closed.
    public func close() async {
        let (waiters, idle) = state.withLock { state in
            state.isClosed = true
            let idle = state.idle.map(\.connection)
            state.idle = []
            return (state.waiters.removeAll(), idle)
        }
        for waiter in waiters { waiter.resume(throwing: PoolError.closed) }
        for connection in idle { await connection.close() }
        await withCheckedContinuation { continuation in
            let done = state.withLock { state in
                if !state.isEmpty { state.closers.append(continuation) }
                return state.isEmpty
            }
            if done { continuation.resume() }
        }
    }
}

// MARK: Lending

extension PostgresPool {
    private func lease() async throws -> PostgresConnection {
        let start = ContinuousClock.now
        while true {
            try Task.checkCancellation()
            guard let idle = try takeIdle() else { break }
            if await isFit(idle) { return idle.connection }
            discard(idle.connection)
        }
        return try await wait(since: start)
    }

    /// An idle connection, unless others came before; the one used last, so that the rest can grow old.
    private func takeIdle() throws -> PoolState.Idle? {
        try state.withLock { state in
            guard !state.isClosed else { throw PoolError.closed }
            guard state.waiters.count == 0, let idle = state.idle.popLast() else { return nil }
            state.leased += 1
            return idle
        }
    }

    private func isFit(_ idle: PoolState.Idle) async -> Bool {
        if idle.connection.isBroken { return false }
        // A backend that went away has said so or closed its end: seen without asking it.
        if !idle.connection.hasUnexpectedInput, ContinuousClock.now - idle.since < options.checkAfterIdle { return true }
        return await idle.connection.isAlive()
    }

    private func wait(since start: ContinuousClock.Instant) async throws -> PostgresConnection {
        let identifier = identifiers.withLock {
            $0 += 1
            return $0
        }
        let timer = Task { [weak self, options] in
            try await Task.sleep(until: start + options.leaseTimeout, clock: .continuous)
            self?.giveUp(identifier, start)
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: PoolState.Waiter) in enqueue(identifier, waiter) }
        } onCancel: {
            state.withLock { $0.waiters.remove(identifier) }?.resume(throwing: CancellationError())
        }
    }

    private enum Entry {
        case waits
        case gets(PostgresConnection)
        case fails(any Error)
    }

    private func enqueue(_ identifier: UInt64, _ waiter: PoolState.Waiter) {
        let entry: Entry = state.withLock { state in
            if state.isClosed { return .fails(PoolError.closed) }
            // A cancellation from here on finds the waiter in the queue.
            if Task.isCancelled { return .fails(CancellationError()) }
            if state.waiters.count == 0, let idle = state.idle.popLast() {
                state.leased += 1
                return .gets(idle.connection)
            }
            if state.waiters.count >= options.maximumWaiting {
                state.timedOut += 1
                return .fails(PoolError.leaseTimeout(waited: .zero, size: state.total, lastFailure: state.lastFailure))
            }
            state.waiters.append(identifier, waiter)
            return .waits
        }
        switch entry {
        case .waits: grow()
        case .gets(let connection): waiter.resume(returning: connection)
        case .fails(let error): waiter.resume(throwing: error)
        }
    }

    private func giveUp(_ identifier: UInt64, _ start: ContinuousClock.Instant) {
        let found = state.withLock { state -> (PoolState.Waiter, PoolError)? in
            guard let waiter = state.waiters.remove(identifier) else { return nil }
            state.timedOut += 1
            return (waiter, .leaseTimeout(waited: options.leaseTimeout, size: state.total, lastFailure: state.lastFailure))
        }
        if let (waiter, error) = found { waiter.resume(throwing: error) }
    }

    private func giveBack(_ connection: PostgresConnection) {
        if connection.isBroken || connection.age > options.maximumAge || connection.isInTransaction { return discard(connection) }
        hand(connection) { $0.leased -= 1 }
    }

    /// Gives a good connection to who waits longest, or keeps it.
    /// - Parameter account: takes it out of where it was counted.
    func hand(_ connection: PostgresConnection, _ account: @escaping @Sendable (inout PoolState) -> Void) {
        let (isClosed, waiter) = state.withLock { state -> (Bool, PoolState.Waiter?) in
            if state.isClosed { return (true, nil) }
            account(&state)
            if let waiter = state.waiters.popFirst() {
                state.leased += 1
                return (false, waiter)
            }
            state.idle.append(PoolState.Idle(connection: connection, since: .now))
            return (false, nil)
        }
        if isClosed { return retire(connection, account) }
        waiter?.resume(returning: connection)
    }

    private func discard(_ connection: PostgresConnection) {
        if connection.isBroken { state.withLock { $0.lost += 1 } }
        retire(connection) { $0.leased -= 1 }
    }

    /// Closes a connection, and only then counts it out: the server never has more of ours than the pool's size.
    private func retire(_ connection: PostgresConnection, _ account: @escaping @Sendable (inout PoolState) -> Void) {
        Task {
            await connection.close()
            let closers = state.withLock { state in
                account(&state)
                return state.takeClosers()
            }
            for closer in closers { closer.resume() }
            grow()
        }
    }
}
