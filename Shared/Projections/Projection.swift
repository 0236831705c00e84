internal import EventLog
internal import Events
public import Postgres

/// A read model: rows that are a fold of the log.
///
/// ``apply(_:in:tables:)`` must be a pure function of the rows and the events: no clock, no randomness, no sequence, no
/// other table. Then the rows can be dropped and made again from the log, to the last bit (see ``ProjectionRebuild``).
public protocol Projection: Sendable {
    /// What it is called among the projections of its schema: `a-z`, `0-9`, `_`, at most 24 bytes.
    var name: String { get }
    /// The service's schema, which also holds the table of positions (see ``PositionTable``).
    var schema: String { get }
    /// Raised when the same events shall make other rows; rows of another version are made anew by a rebuild.
    var version: Int { get }
    /// The tables that belong to this projection alone, without schema. Only a rebuild creates or replaces them.
    var tables: [String] { get }

    /// The types of events that it looks at; nil for all. Past others the position moves, and they are not even read.
    var types: Set<String>? { get }

    /// Applies events in the open transaction in which the position moves past them.
    ///
    /// The events come in the log's order, each exactly once, those of other types than ``types`` left out. It may be called
    /// again with fewer of the same events after it threw: then the transaction was rolled back.
    /// - Parameters:
    ///   - session: a connection in a transaction, which this must neither end nor nest.
    ///   - tables: what the tables are called at this moment; a rebuild works on others than the live ones.
    /// - Throws: whatever makes it impossible. The projection stops there, says so, and loses nothing.
    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws
}

extension Projection {
    /// All.
    public var types: Set<String>? { nil }

    /// `schema.name`, as log lines and errors call it.
    public var label: String { "\(schema).\(name)" }

    /// Those of the events that it looks at.
    func read(_ events: some Sequence<LoggedEvent>) throws -> [ProjectedEvent] {
        let types = types
        return try events.filter { event in
            // What has no type is no event: reading it will say so.
            guard let types, let type = EventHeader.typeBytes(trusted: event.bytes) else { return true }
            return types.contains(String(decoding: event.bytes[type], as: UTF8.self))
        }.map { try ProjectedEvent($0) }
    }

    /// Refuses names that can't stand in SQL as they are.
    func checkNames() throws(ProjectionError) {
        for (what, text, limit) in [("name", name, 24), ("schema", schema, 24)] + tables.map({ ("table", $0, 48) }) {
            guard SQLName.isPlain(text), text.utf8.count <= limit else { throw .badName(what: what, name: text) }
        }
        if tables.contains(PositionTable.name) { throw .badName(what: "table", name: PositionTable.name) }
    }
}
