internal import EventLog
internal import LedgerDomain
internal import Postgres
internal import Telemetry
internal import Synchronization
internal import Threads

/// Leads when it can and waits when it can't: of all ledgers over one database the one that holds the advisory lock
/// writes. The lock lives as long as the connection that writes, so a leader that lost one has lost both.
final class Leader: Sendable {
    /// What the lock is known by: the first eight bytes of SHA-256 of `openledger/log/leader`, as a signed number.
    static let lockKey: Int64 = 0x501E_A542_DEBC_3B99
    /// How often an idle leader makes sure that its connection is still there.
    static let pingInterval = Duration.seconds(1)

    /// Where this instance stands.
    enum Role: Sendable, Equatable {
        case starting
        case waiting
        /// The store lacks what was signed for: until that is mended, nobody may write to it.
        case refusing(reason: String)
        case leading(term: Int64)
        case stopped
    }

    private let configuration: PostgresConfiguration
    private let holder: String
    private let queue: AppendQueue
    private let reader: LogReader
    private let tail: LogTail
    private let tree: LatestTree
    private let logger: Logger
    private let instruments: LedgerInstruments
    private let role = Lock(Role.starting)

    init(
        configuration: PostgresConfiguration, holder: String, queue: AppendQueue, reader: LogReader, tail: LogTail,
        tree: LatestTree, logger: Logger, instruments: LedgerInstruments
    ) {
        var configuration = configuration
        configuration.applicationName = "openledger-writer"
        // Waiting for the lock takes as long as another leads.
        configuration.statementTimeoutMilliseconds = 0
        configuration.lockTimeoutMilliseconds = 0
        self.configuration = configuration
        self.holder = holder
        self.queue = queue
        self.reader = reader
        self.tail = tail
        self.tree = tree
        self.logger = logger
        self.instruments = instruments
    }

    /// Whether this instance writes.
    var isLeading: Bool { if case .leading = currentRole { true } else { false } }

    /// Where this instance stands.
    var currentRole: Role { role.withLock { $0 } }

    /// Leads, loses, waits and leads again until cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do {
                try await lead { failures = 0 }
            } catch is CancellationError {
                break
            } catch {
                queue.close(.unavailable("the writer lost the database and begins anew"))
                let now = (error as? StoreLoss).map { Role.refusing(reason: $0.description) } ?? .starting
                role.withLock { $0 = now }
                if Task.isCancelled { break }
                logger.error("the ledger does not lead: \(error)")
                failures = min(failures + 1, 6)
                try? await Task.sleep(for: .milliseconds(25 << failures))
            }
        }
        queue.close(.unavailable("the ledger is stopping"))
        role.withLock { $0 = .stopped }
    }

    private func lead(_ onLeading: () -> Void) async throws {
        let connection = try await PostgresConnection.connect(configuration)
        var flushing: PostgresConnection?
        do {
            try await connection.execute(LogSQL.watchClient)
            // A small batch is answered for as soon as its commit has returned.
            try await connection.execute(LogSQL.waitForDisk)
            try await waitForLock(connection)
            let flusher = try await connectFlusher(beside: connection)
            flushing = flusher
            let (term, state) = try await takeTerm(connection)
            let size = state.tree.size
            onLeading()
            role.withLock { $0 = .leading(term: term) }
            queue.open()
            logger.info("leads from position \(size) on, term \(term)")
            try await write(connection, flusher, WriterBox(state))
            await flusher.close()
            await connection.close()
        } catch {
            await flushing?.close()
            await connection.close()
            throw error
        }
    }

    /// Waits until no other ledger holds the lock; meanwhile readers of this instance follow the other's commits.
    private func waitForLock(_ connection: PostgresConnection) async throws {
        // With nobody else there is nothing to wait for, and nobody to send callers to.
        if try await connection.execute(LogSQL.tryLock, [.int(Self.lockKey)]).one().bool(0) { return }
        role.withLock { $0 = .waiting }
        queue.close(.notLeader("another ledger over this database writes; send appends there"))
        let following = Task { await follow() }
        defer { following.cancel() }
        _ = try await connection.execute(LogSQL.lock, [.int(Self.lockKey)])
    }

    private func follow() async {
        while !Task.isCancelled {
            if let size = try? await reader.durableSize() { tail.advance(to: size, events: []) }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// A second session on the writer's server, made before anything is written: see ``Flusher``.
    private func connectFlusher(beside connection: PostgresConnection) async throws -> PostgresConnection {
        var configuration = configuration
        configuration.applicationName = "openledger-flusher"
        let flushing = try await PostgresConnection.connect(configuration)
        do {
            let servers = try await (
                connection.execute(LogSQL.server).one().text(0), flushing.execute(LogSQL.server).one().text(0)
            )
            guard servers.0 == servers.1 else {
                throw LogError.unavailable(
                    "two sessions of the writer reach two servers, \(servers.0) and \(servers.1): the database's address must name one")
            }
            try await flushing.execute(LogSQL.waitForDisk)
            // What another leader committed last may not be on disk yet.
            try await flushing.execute(LogSQL.flush)
            return flushing
        } catch {
            await flushing.close()
            throw error
        }
    }

    private func takeTerm(_ connection: PostgresConnection) async throws -> (term: Int64, state: WriterState) {
        try await checkStore(connection)
        let term = try await connection.execute(LogSQL.newTerm, [.text(holder)]).one().int(0)
        _ = try await connection.execute(LogSQL.holdTerm, [.text(String(term))])
        let size = UInt64(try await connection.execute(LogSQL.size, []).one().int(0))
        let builder = try await TileBuilder(size: size, source: reader)
        tail.advance(to: size, events: [])
        tree.set(size: size, root: builder.root)
        return (term, WriterState(tree: builder))
    }

    /// Throws when the log is not the one that the last checkpoint was signed over, as after a restore of half a database:
    /// to go on writing would make a second history, and the next checkpoint contradict one that strangers keep.
    private func checkStore(_ connection: PostgresConnection) async throws {
        guard let row = try await connection.execute(LogSQL.lastCheckpoint, []).first else { return }
        let signed = try SignedCheckpoint(unverified: try row.text(1)).checkpoint
        let size = UInt64(try await connection.execute(LogSQL.size, []).one().int(0))
        // What there is can be read and audited meanwhile.
        tail.advance(to: size, events: [])
        guard signed.size <= size else {
            throw StoreLoss("the store has \(size) events, and a checkpoint was signed over \(signed.size)")
        }
        var kept = TileTree(source: reader, size: signed.size)
        guard try await kept.root() == signed.root else {
            throw StoreLoss("the first \(signed.size) events in the store are not those that a checkpoint was signed over")
        }
    }

    /// Writes batch after batch on the connection's own thread, until the queue is closed or a connection breaks.
    private func write(_ connection: PostgresConnection, _ flushing: PostgresConnection, _ box: WriterBox) async throws {
        let flusher = Flusher { [self] in publish($0) }
        try await withTaskCancellationHandler {
            // Neither stops the other: the writer ends when the queue is closed, the flusher when all is flushed.
            async let flushed = Self.outcome {
                do { try await flushing.withSession { try flusher.run($0) } } catch {
                    flusher.fail(error)
                    self.queue.close(.unavailable("the writer lost the database and begins anew"))
                    throw error
                }
            }
            let written = await Self.outcome {
                defer { flusher.close() }
                try await connection.withSession { [self] session in
                    let writer = LogWriter(session: session)
                    var ahead: Ahead?
                    while let next = ahead ?? queue.next(patience: Self.pingInterval).map({ Ahead(batch: $0) }) {
                        ahead = nil
                        if next.batch.isEmpty { try session.execute(LogSQL.ping) } else { ahead = try write(next, writer, box, flusher) }
                    }
                }
            }
            try await flushed.get()
            try written.get()
        } onCancel: {
            queue.close(.unavailable("the ledger is stopping"))
        }
        try Task.checkCancellation()
    }

    private static func outcome(_ body: @Sendable () async throws -> Void) async -> Result<Void, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    /// A batch that was taken while the one before it was being stored, and what was decided of it already.
    private struct Ahead {
        let batch: [AppendQueue.Pending]
        var draft: DraftBatch?
    }

    /// Writes a batch, and meanwhile takes and drafts the one after it when enough appends wait.
    private func write(_ next: Ahead, _ writer: LogWriter, _ box: WriterBox, _ flusher: Flusher) throws -> Ahead? {
        let start = ContinuousClock.now
        var ahead: Ahead?
        let written: WrittenBatch
        do {
            written = try box.state.withLock { state in
                try writer.write(next.batch.map(\.append), draft: next.draft, isEarly: flusher.isBehind, state: &state) { state in
                    guard let batch = queue.ready(atLeast: LogWriter.copyFrom) else { return }
                    ahead = Ahead(batch: batch, draft: writer.draft(batch.map(\.append), state: &state))
                }
            }
        } catch {
            // Whether the commit arrived is not known: the callers ask again with the same command ids.
            Flusher.refuse(next.batch + (ahead?.batch ?? []))
            throw error
        }
        do { try flusher.settle(Flusher.Item(batch: next.batch, written: written, start: start)) } catch {
            if let ahead { Flusher.refuse(ahead.batch) }
            throw error
        }
        return ahead
    }

    /// Shows what is committed and on disk to the rest of the process, and answers.
    private func publish(_ item: Flusher.Item) {
        let written = item.written
        // The tree first: whoever the tail wakes may want to sign it.
        tree.set(size: written.size, root: written.root)
        tail.advance(to: written.size, events: written.events)
        queue.answered()
        for (pending, outcome) in zip(item.batch, written.outcomes) { pending.waiter.resume(returning: outcome) }
        instruments.wrote(events: written.events.count, appends: item.batch.count, in: ContinuousClock.now - item.start)
    }
}

/// Carries the writer's state to the connection's thread without copying it. The lock is never contended: one batch is
/// under way at a time.
private final class WriterBox: Sendable {
    let state: Lock<WriterState>
    init(_ state: consuming WriterState) { self.state = Lock(state) }
}

/// The store does not have what the ledger signed for.
private struct StoreLoss: Error, CustomStringConvertible {
    let description: String

    init(_ what: String) {
        description = what + ": nothing is written until the store is restored; openledger audit names the first bad position"
    }
}
