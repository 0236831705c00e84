internal import EventLog
internal import Postgres
internal import Telemetry

/// An event that can't be applied.
struct Stop: Error {
    let position: UInt64
    let reason: String
}

/// Whose turn it is.
extension ProjectionRunner {
    /// Held by the one runner that applies. It goes with the connection, so a killed process leaves none behind.
    private static let take: Statement = "select pg_try_advisory_lock(hashtextextended($1, 0)) as taken"
    private static let release: Statement = "select pg_advisory_unlock(hashtextextended($1, 0))"

    /// Applies when it is this runner's turn and watches when it is not; returns only by an error.
    /// - Parameter onProgress: called when the database does what it should.
    func serve(_ connection: PostgresConnection, _ onProgress: () -> Void) async throws {
        let lock = PostgresValue.text("openledger projection \(projection.label)")
        let name = PostgresValue.text(projection.name)
        try await connection.execute(positions.enter, [name, .int(Int64(projection.version))])
        var isMine = false
        var stop: Stop?
        while true {
            try Task.checkCancellation()
            if !isMine { isMine = try await connection.execute(Self.take, [lock]).one().bool("taken") }
            let row = try PositionTable.row(try await connection.execute(positions.read, [name]).one())
            onProgress()
            reached(row.next)
            if let known = stop, row.next > known.position { stop = nil }
            let isFit = row.version == projection.version
            if isMine, isFit, stop == nil {
                do {
                    try await follow(connection, from: row.next)
                } catch Failure.moved {
                    instruments.retries.add()
                } catch let met as Stop {
                    stop = met
                    // Asked for earlier, it was not about this event.
                    resumed.silence()
                }
                continue
            }
            if let stop {
                enter(.stopped(position: stop.position, reason: stop.reason))
            } else if !isFit {
                enter(.wrongVersion(rows: row.version, program: projection.version))
            } else {
                enter(.standby)
            }
            if isMine, stop != nil || !isFit {
                // Another instance may run a program that can.
                try await connection.execute(Self.release, [lock])
                isMine = false
            }
            if await watch(stop != nil) { stop = nil }
        }
    }

    /// Pauses before the next look at the row; true when somebody asked to go on after a stop.
    private func watch(_ isStopped: Bool) async -> Bool {
        if isStopped { return await resumed.pause(options.watch) }
        _ = await board.bell.pause(board.hasWaiters ? options.hastyWatch : options.watch)
        return false
    }
}
