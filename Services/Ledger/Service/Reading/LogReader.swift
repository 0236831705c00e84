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
    func storedSize() async throws -> UInt64 { UInt64(try await pool.execute(LogSQL.size, []).one().int(0)) }

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
            let rows = try await pool.execute(LogSQL.range, [.int(Int64(next)), .int(Int64(end))])
            for (offset, row) in rows.enumerated() {
                let event = try LoggedEvent(row: row)
                guard event.position == next + UInt64(offset) else {
                    throw LogError.unavailable("position \(next + UInt64(offset)) is missing from the store; run openledger audit")
                }
                bytes += event.bytes.count
                events.append(event)
            }
            guard rows.count == Int(end - next) else {
                throw LogError.unavailable("position \(next + UInt64(rows.count)) is missing from the store; run openledger audit")
            }
        }
        return LogBatch(events: events, size: size)
    }

    /// One event; nil when the log has no such position.
    func event(at position: UInt64) async throws -> LoggedEvent? {
        guard position < tail.size else { return nil }
        return try await read(from: position, limit: 1, wait: nil).events.first
    }

    /// Events of a stream from a version on.
    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        let limit = max(1, min(limit, Self.maximumEvents))
        let rows = try await pool.execute(
            LogSQL.stream, [.uuid(stream.key.bytes), .int(Int64(version)), .int(Int64(limit))])
        return try rows.map(LoggedEvent.init(row:))
    }
}

extension LogReader: TileSource {
    /// A full tile as stored; a partial one from the leaves, or from the roots of the tiles one level down.
    public func hashes(of tile: Tile) async throws -> [UInt8] {
        let first = Int64(tile.index) << Int64(Tile.height)
        if tile.isFull {
            let rows = try await pool.execute(LogSQL.tile, [.int(Int64(tile.level)), .int(Int64(tile.index))])
            guard let row = rows.first else { throw TileError(tile: tile, reason: "is missing from the store") }
            return try row.bytes(0)
        }
        let range = [PostgresValue.int(first), .int(first + Int64(tile.width))]
        let rows =
            tile.level == 0
            ? try await pool.execute(LogSQL.leaves, range)
            : try await pool.execute(LogSQL.roots, [.int(Int64(tile.level - 1))] + range)
        var hashes: [UInt8] = []
        hashes.reserveCapacity(tile.width * Tile.hashBytes)
        for row in rows { hashes.append(contentsOf: try row.bytes(0)) }
        return hashes
    }

    /// The entry bundle of a level-0 tile.
    func bundle(of tile: Tile) async throws -> [UInt8] {
        let first = tile.index << UInt64(Tile.height)
        var entries: [[UInt8]] = []
        while entries.count < tile.width {
            let batch = try await read(from: first + UInt64(entries.count), limit: tile.width - entries.count, wait: nil)
            guard !batch.events.isEmpty else { throw TileError(tile: tile, reason: "has fewer entries in the store than its width") }
            entries += batch.events.map(\.bytes)
        }
        return EntryBundle.encode(entries)
    }
}
