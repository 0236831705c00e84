internal import EventLog
internal import Events
internal import Postgres

extension LogReader {
    /// A bundle is read and sent in pieces of at most so many bytes, however many its 256 events have.
    static let pieceBytes = 256 << 10

    /// The next entries of a bundle, as they are served.
    /// - Parameters:
    ///   - position: the first event; moves behind the last that was read.
    ///   - end: where the bundle ends, as far as it is asked for.
    func bundlePiece(from position: inout UInt64, to end: UInt64) async throws -> [UInt8] {
        // One event of the greatest size, with its length before it, may come on top.
        let most = Self.pieceBytes - Event.maximumBytes - 2 * Tile.fullWidth
        let limit = Int(end - position)
        let events: [LoggedEvent]
        if let recent = tail.recent(from: position, limit: limit, byteLimit: most) {
            events = recent.events
        } else {
            let rows = try await ask(LogSQL.piece, [.int(Int64(position)), .int(Int64(end)), .int(Int64(most))])
            events = try rows.map(LoggedEvent.init(row:))
        }
        guard !events.isEmpty else { throw Self.missing(position) }
        for event in events {
            guard event.position == position else { throw Self.missing(position) }
            position += 1
        }
        return EntryBundle.encode(events.map(\.bytes))
    }
}
