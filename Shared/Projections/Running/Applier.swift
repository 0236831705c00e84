internal import EventLog
internal import Postgres

/// Applies events and moves the position, in one transaction.
struct Applier: Sendable {
    let projection: any Projection
    let tables: TableNames
    let positions: PositionTable

    /// Applies events that follow one another.
    /// - Parameter session: a connection outside a transaction.
    func commit(_ events: [LoggedEvent], in session: PostgresSession) throws {
        guard let first = events.first, let last = events.last else { return }
        let projected = try projection.read(events)
        try session.transaction { session in
            // First, so that it waits here for anybody who is at the same events, and then finds them applied.
            let moved = try session.execute(
                positions.move,
                [.text(projection.name), .int(Int64(projection.version)), .int(Int64(first.position)), .int(Int64(last.position) + 1)])
            guard moved.affected == 1 else { throw Failure.moved }
            if !projected.isEmpty { try projection.apply(projected, in: session, tables: tables) }
            guard session.isInTransaction else { throw Failure.refused(reason: "apply ended the transaction it was given") }
        }
    }
}
