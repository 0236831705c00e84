internal import Crypto
public import EventLog
internal import Events
internal import LedgerDomain
internal import Postgres

/// Reads the log: from memory near its end, from PostgreSQL elsewhere.
public struct LogReader: Sendable {
    /// At most this many events in one batch.
    static let maximumEvents = 4_096
    /// A batch takes events until it has this many bytes.
    static let maximumBytes = 8 << 20

    let pool: PostgresPool
    let tail: LogTail

    /// How long the log is in the database.
    func storedSize() async throws -> UInt64 { UInt64(try await ask(LogSQL.size, []).one().int(0)) }

    /// How long the log is in the database and on disk: a commit can be seen before it has reached the disk.
    func durableSize() async throws -> UInt64 {
        try await onOneSession { connection in
            let size = UInt64(try await connection.execute(LogSQL.size, []).one().int(0))
            if size > tail.size { try await Self.flush(connection) }
            return size
        }
    }

    /// What was read on a session is on disk when that session's flush has returned. On another it would prove nothing: a server that
    /// crashes in between ends all its sessions, and a new one flushes what is left.
    private static func flush(_ connection: PostgresConnection) async throws {
        try await connection.execute(LogSQL.waitForDisk)
        try await connection.execute(LogSQL.flush)
    }

    /// Runs several statements on one session.
    private func onOneSession<Result>(
        _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        do { return try await pool.withConnection(body) } catch let error where !(error is CancellationError) {
            if Task.isCancelled { throw CancellationError() }
            throw LogError.unavailable("the database does not answer: \(error)")
        }
    }

    /// Asks the database; that it does not answer is the log's error, not the caller's.
    func ask(_ statement: Statement, _ values: [PostgresValue]) async throws -> Rows {
        do { return try await pool.execute(statement, values) } catch let error where !(error is CancellationError) {
            if Task.isCancelled { throw CancellationError() }
            throw LogError.unavailable("the database does not answer: \(error)")
        }
    }

    private static func missing(_ tile: Tile) -> LogError {
        .unavailable("\(tile.path) is missing from the store, or part of it; run openledger audit")
    }

    static func missing(_ position: UInt64) -> LogError {
        .unavailable("position \(position) is missing from the store; run openledger audit")
    }

    /// Committed events from a position on, waiting for the first one when there is none yet.
    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        if let wait, position >= tail.size { await tail.waitPast(position, for: wait) }
        let limit = max(1, min(limit, Self.maximumEvents))
        if let batch = tail.recent(from: position, limit: limit, byteLimit: Self.maximumBytes) { return batch }
        let size = tail.size
        var events: [LoggedEvent] = []
        var bytes = 0
        // In steps, so that a run of large events does not come into memory at once.
        while events.count < limit, bytes < Self.maximumBytes {
            let next = position + UInt64(events.count)
            let end = min(size, next + UInt64(min(256, limit - events.count)))
            guard next < end else { break }
            let rows = try await ask(LogSQL.range, [.int(Int64(next)), .int(Int64(end))])
            for (offset, row) in rows.enumerated() {
                let event = try LoggedEvent(row: row)
                guard event.position == next + UInt64(offset) else { throw Self.missing(next + UInt64(offset)) }
                bytes += event.bytes.count
                events.append(event)
            }
            guard rows.count == Int(end - next) else { throw Self.missing(next + UInt64(rows.count)) }
        }
        return LogBatch(events: events, size: size)
    }

    /// One event; nil when the log has no such position.
    func event(at position: UInt64) async throws -> LoggedEvent? {
        guard position < tail.size else { return nil }
        return try await read(from: position, limit: 1, wait: nil).events.first
    }

    /// At most so many positions are asked for at once.
    private static let positionsAtOnce = 256

    /// The events at some positions, all of them below the end of the log; in no order.
    func events(at positions: [UInt64]) async throws -> [LoggedEvent] {
        var events: [LoggedEvent] = []
        var stored: [UInt64] = []
        for position in positions {
            if let event = tail.recent(from: position, limit: 1, byteLimit: .max)?.events.first {
                events.append(event)
            } else {
                stored.append(position)
            }
        }
        stored.sort()
        for start in stride(from: 0, to: stored.count, by: Self.positionsAtOnce) {
            let wanted = stored[start..<min(start + Self.positionsAtOnce, stored.count)]
            let found = try await ask(LogSQL.positions, [.int8Array(wanted.map { Int64($0) })]).map(LoggedEvent.init(row:))
            guard found.count == wanted.count else {
                throw Self.missing(wanted.first { position in !found.contains { $0.position == position } } ?? wanted[start])
            }
            events += found
        }
        return events
    }

    /// When the newest event was written, as the store has it; nil when the log is empty.
    func newestTime() async throws -> Timestamp? {
        let size = Int64(try await storedSize())
        guard size > 0, let row = try await ask(LogSQL.range, [.int(size - 1), .int(size)]).first else { return nil }
        return try EventHeader(trusted: try LoggedEvent(row: row).bytes).time
    }

    /// Events of a stream from a version on: fewer than `limit` when they are large, none only at the stream's end.
    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        let limit = max(1, min(limit, Self.maximumEvents))
        guard var next = Int64(exactly: version) else { return [] }
        return try await onOneSession { connection in
            var events: [LoggedEvent] = []
            var bytes = 0
            while events.count < limit, bytes < Self.maximumBytes {
                let step = min(128, limit - events.count)
                let rows = try await connection.execute(LogSQL.stream, [.uuid(stream.key.bytes), .int(next), .int(Int64(step))])
                for row in rows {
                    let event = try LoggedEvent(row: row)
                    bytes += event.bytes.count
                    events.append(event)
                }
                next += Int64(rows.count)
                if rows.count < step { break }
            }
            // What the end of the log does not show yet may not be on disk.
            if let newest = events.map(\.position).max(), newest >= tail.size { try await Self.flush(connection) }
            return events
        }
    }
}

extension LogReader: TileSource {
    /// A full tile as stored; a partial one from the leaves, or from the roots of the tiles one level down.
    public func hashes(of tile: Tile) async throws -> [UInt8] {
        let first = Int64(tile.index) << Int64(Tile.height)
        if tile.isFull {
            let rows = try await ask(LogSQL.tile, [.int(Int64(tile.level)), .int(Int64(tile.index))])
            guard let row = rows.first else { throw Self.missing(tile) }
            return try row.bytes(0)
        }
        let range = [PostgresValue.int(first), .int(first + Int64(tile.width))]
        let rows =
            tile.level == 0
            ? try await ask(LogSQL.leaves, range)
            : try await ask(LogSQL.roots, [.int(Int64(tile.level - 1))] + range)
        guard rows.count == tile.width else { throw Self.missing(tile) }
        var hashes: [UInt8] = []
        hashes.reserveCapacity(tile.width * Tile.hashBytes)
        for row in rows { hashes.append(contentsOf: try row.bytes(0)) }
        return hashes
    }
}
