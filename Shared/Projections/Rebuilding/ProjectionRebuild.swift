public import EventLog
public import Postgres
public import Telemetry

/// Makes a projection's rows anew from the log, beside the live ones, and then takes their place or compares them.
///
/// The live rows are read and moved on all the while; only the last step, a few milliseconds, holds them. The indexes, keys,
/// rights and names of the new tables are those of the old. A rebuild that is killed leaves the live rows as they are; the
/// next one clears away what it left and begins again.
public struct ProjectionRebuild: Sendable {
    /// What to do with the new rows.
    public enum Ending: Sendable {
        /// They take the place of the live ones, and the version of the rows becomes the program's.
        case swap
        /// They are compared with the live ones at the same position, and dropped.
        case compare
    }

    private let projection: any Projection
    private let client: any LogClient
    private let database: PostgresConfiguration
    private let workshop: Workshop
    private let positions: PositionTable
    private let batch: Int
    private let logger: Logger

    /// - Parameters:
    ///   - database: as the role that owns the tables and may create a schema: the one that runs the migrations.
    ///   - batch: events in one transaction.
    /// - Throws: ``ProjectionError/badName(what:name:)``.
    public init(
        _ projection: any Projection, client: any LogClient, database: PostgresConfiguration, batch: Int = 4_096, logger: Logger = .silent
    ) throws(ProjectionError) {
        try projection.checkNames()
        self.projection = projection
        self.client = client
        self.batch = max(1, batch)
        self.logger = logger.with(["projection": .string(projection.label)])
        workshop = Workshop(projection)
        positions = try PositionTable(schema: projection.schema)
        var database = database
        database.applicationName = "openledger rebuild \(projection.label)"
        database.parameters["options"] = [database.parameters["options"], "-c synchronous_commit=off"].compactMap { $0 }.joined(
            separator: " ")
        // Analyzing or comparing large tables takes its time, and holds nobody up but the last step, which bounds its locks.
        database.statementTimeoutMilliseconds = 3_600_000
        self.database = database
    }

    /// Whether there are rows, of an older version than the program makes.
    public func isDue() async throws -> Bool {
        let connection = try await PostgresConnection.connect(database)
        do {
            let row = try await connection.execute(positions.read, [.text(projection.name)]).first.map(PositionTable.row)
            await connection.close()
            return row.map { $0.version < projection.version } ?? false
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Rebuilds.
    /// - Parameter progress: called after each batch.
    /// - Throws: ``ProjectionError``: another rebuild runs, a table can't be copied, an event can't be applied, the log is too
    ///   short. Or what the database or the ledger reported; then it is safe to begin again.
    public func run(_ ending: Ending = .swap, progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }) async throws
        -> RebuildReport
    {
        let connection = try await PostgresConnection.connect(database)
        do {
            let report = try await run(ending, connection, progress)
            // Said, not left to the connection's end, of which the server hears a moment later than we.
            _ = try? await connection.execute(Self.unlock, [key])
            await connection.close()
            return report
        } catch {
            // Best effort: the next rebuild does it otherwise.
            let workshop = self.workshop
            if (error as? ProjectionError) != .rebuildRunning(projection: projection.label) {
                try? await connection.withSession { try workshop.remove($0) }
                _ = try? await connection.execute(Self.unlock, [key])
            }
            await connection.close()
            throw error
        }
    }

    private static let unlock: Statement = "select pg_advisory_unlock(hashtextextended($1, 0))"

    /// The name of the lock that one rebuild of this projection holds.
    private var key: PostgresValue { .text("openledger rebuild \(projection.label)") }

    private func run(
        _ ending: Ending, _ connection: PostgresConnection, _ progress: @escaping @Sendable (RebuildProgress) -> Void
    ) async throws -> RebuildReport {
        try await take(connection)
        let workshop = self.workshop
        try await connection.withSession { try workshop.open($0) }

        let start = ContinuousClock.now
        func tell(_ phase: RebuildProgress.Phase, _ next: UInt64, _ size: UInt64) {
            let seconds = max(start.duration(to: .now).inSeconds, 1e-6)
            progress(RebuildProgress(phase: phase, next: next, size: max(size, next), perSecond: Double(next) / seconds))
        }
        let replayed = try await replay(connection) { tell(.replaying, $0, $1) }
        try await connection.withSession { try workshop.analyze($0) }
        tell(.finishing, replayed, replayed)
        let report =
            switch ending {
            case .swap: try await swap(connection, replayed)
            case .compare: try await compare(connection, replayed)
            }
        tell(.done, report.next, report.next)
        return report
    }

    /// Takes the lock. One that was just killed may hold it a moment longer, until its backend has gone.
    private func take(_ connection: PostgresConnection) async throws {
        for attempt in 0..<10 {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(50)) }
            let taken = try await connection.execute("select pg_try_advisory_lock(hashtextextended($1, 0)) as taken", [key])
            if try taken.one().bool("taken") { return }
        }
        throw ProjectionError.rebuildRunning(projection: projection.label)
    }

    /// Applies the log from its beginning to near its end, which moves on meanwhile: the last step does the rest.
    private func replay(_ connection: PostgresConnection, _ tell: (UInt64, UInt64) -> Void) async throws -> UInt64 {
        var next: UInt64 = 0
        var rounds = 0
        var arrived = try await client.read(from: next, limit: batch, wait: nil)
        while true {
            let events = OrderedRun(arrived.events, from: next).run
            guard !events.isEmpty else { return next }
            let after = next + UInt64(events.count)
            // The ledger reads the next ones while these are applied.
            async let following = client.read(from: after, limit: batch, wait: nil)
            try await connection.withSession { [self] session in
                try session.transaction { try apply(events, $0) }
            }
            next = after
            tell(next, arrived.size)
            // At the end as it was when these were read; or long enough after an end that runs away.
            if next + UInt64(batch) >= arrived.size { rounds += 1 }
            let isNear = next >= arrived.size || rounds > 16
            arrived = try await following
            if isNear { return next }
        }
    }

    /// Applies events to the new tables in the open transaction.
    private func apply(_ events: [LoggedEvent], _ session: PostgresSession) throws {
        let tables = TableNames(projection, schema: workshop.name)
        var left = events[...]
        var size = left.count
        while let first = left.first {
            let part = left.prefix(size)
            // A savepoint, to find the event at fault.
            try session.executeScript("savepoint part")
            do {
                let events = try projection.read(part)
                if !events.isEmpty { try projection.apply(events, in: session, tables: tables) }
                try session.executeScript("release savepoint part")
                left = left.dropFirst(part.count)
            } catch {
                guard case .refused(let reason) = Failure(error) else { throw error }
                guard part.count > 1 else {
                    throw ProjectionError.stopped(projection: projection.label, position: first.position, reason: reason)
                }
                try session.executeScript("rollback to savepoint part")
                size = part.count / 2
            }
        }
    }
}

// MARK: The last step

extension ProjectionRebuild {
    private func swap(_ connection: PostgresConnection, _ replayed: UInt64) async throws -> RebuildReport {
        try await withLivePosition(connection, replayed) { [projection, positions, workshop] transaction, next, _ in
            try await transaction.withSession { session in
                try workshop.takePlace(session)
                try session.execute(positions.replace, [.text(projection.name), .int(Int64(projection.version)), .int(Int64(next))])
            }
            return RebuildReport(next: next, differences: [:])
        }
    }

    private func compare(_ connection: PostgresConnection, _ replayed: UInt64) async throws -> RebuildReport {
        let report = try await withLivePosition(connection, replayed) { [projection, workshop] transaction, next, live in
            guard live.version == projection.version else {
                throw ProjectionError.wrongVersion(projection: projection.label, rows: live.version, program: projection.version)
            }
            // The live rows must come as far as the new ones first.
            guard live.next == next else { throw Behind() }
            let differences = try await transaction.withSession { try workshop.differences($0) }
            return RebuildReport(next: next, differences: differences)
        }
        let workshop = self.workshop
        try await connection.withSession { try workshop.remove($0) }
        return report
    }

    private struct Behind: Error {}

    /// Holds the live rows where they are, brings the new ones as far, and does the last step, in one transaction. Tried again
    /// when a lock is not had soon: whoever reads the live rows must not wait long behind this.
    private func withLivePosition(
        _ connection: PostgresConnection, _ replayed: UInt64,
        _ step: (PostgresTransaction, UInt64, PositionTable.Row) async throws -> RebuildReport
    ) async throws -> RebuildReport {
        var waited = 0
        while true {
            do {
                return try await connection.transaction { transaction in
                    try await transaction.executeScript("set local lock_timeout = '2s'")
                    let version = PostgresValue.int(Int64(projection.version))
                    try await transaction.execute(positions.enter, [.text(projection.name), version])
                    let live = try PositionTable.row(try await transaction.execute(positions.lock, [.text(projection.name)]).one())
                    let next = try await bring(transaction, from: replayed, to: live.next)
                    return try await step(transaction, next, live)
                }
            } catch let error as PostgresError where error.code == .lockNotAvailable || error.isRetriable {
                logger.info("the rebuilt rows wait for a lock: \(error)")
            } catch is Behind where waited < 600 {
                waited += 1
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Applies what the live rows have beyond the new ones.
    private func bring(_ transaction: PostgresTransaction, from replayed: UInt64, to live: UInt64) async throws -> UInt64 {
        var next = replayed
        while next < live {
            let limit = Int(min(UInt64(batch), live - next))
            let arrived = try await client.read(from: next, limit: limit, wait: .seconds(5))
            let events = OrderedRun(arrived.events, from: next).run
            guard !events.isEmpty else {
                throw ProjectionError.logTooShort(projection: projection.label, position: live, size: arrived.size)
            }
            try await transaction.withSession { [self] session in try apply(events, session) }
            next += UInt64(events.count)
        }
        return next
    }
}
