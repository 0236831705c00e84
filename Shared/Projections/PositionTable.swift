public import Postgres

/// Where the projections of a schema stand: one row each, moved in the transaction that applies the events.
///
/// A service's migration makes it, by the text that ``sql(schema:role:)`` gives:
///
///     create table billing.projection_positions (
///         projection text        not null,
///         version    integer     not null,  -- of the projection whose code made the rows
///         next       bigint      not null,  -- all lower positions are in the rows
///         changed    timestamptz not null default clock_timestamp(),
///
///         constraint projection_positions_projection primary key (projection),
///         constraint projection_positions_next check (next >= 0)
///     );
///     grant select, insert, update on billing.projection_positions to openledger_billing;
///
/// The service's role gets `select, insert, update, delete` on the tables of its projections, and no more: a rebuild, which
/// makes and drops tables, is done by the role that runs the migrations.
public struct PositionTable: Sendable {
    /// The table's name in each schema.
    public static let name = "projection_positions"

    /// A projection's row.
    public struct Row: Sendable, Equatable {
        /// The version whose code made the rows.
        public let version: Int
        /// All lower positions are in the rows.
        public let next: UInt64
    }

    let qualified: String
    let read: Statement
    let enter: Statement
    let move: Statement
    let lock: Statement
    let replace: Statement

    /// The table of a schema.
    /// - Throws: ``ProjectionError/badName(what:name:)``.
    public init(schema: String) throws(ProjectionError) {
        guard SQLName.isPlain(schema) else { throw .badName(what: "schema", name: schema) }
        let table = SQLName.quoted(schema) + "." + Self.name
        qualified = table
        read = Statement("select version, next from \(table) where projection = $1", name: "read position")
        enter = Statement(
            "insert into \(table) (projection, version, next) values ($1, $2, 0) on conflict (projection) do nothing",
            name: "enter position")
        // Comes first in a transaction: it holds the row against everybody else, and moves nothing when somebody was quicker.
        move = Statement(
            "update \(table) set next = $4, changed = clock_timestamp() where projection = $1 and version = $2 and next = $3",
            name: "move position")
        lock = Statement("select version, next from \(table) where projection = $1 for update", name: "lock position")
        replace = Statement(
            "update \(table) set version = $2, next = $3, changed = clock_timestamp() where projection = $1", name: "replace position")
    }

    /// Where a projection stands; nil when it never began. For a process that only reads the rows.
    public func row(of projection: String, in pool: PostgresPool) async throws -> Row? {
        try await pool.execute(read, [.text(projection)]).first.map(Self.row)
    }

    static func row(_ row: Postgres.Row) throws -> Row {
        Row(version: Int(try row.int("version")), next: UInt64(try row.int("next")))
    }

    /// The SQL that makes the table, for a migration.
    /// - Parameter role: who may use it, such as `openledger_billing`.
    public static func sql(schema: String, role: String) -> String {
        let table = SQLName.quoted(schema) + "." + name
        return """
            create table \(table) (
                projection text        not null,
                version    integer     not null,  -- of the projection whose code made the rows
                next       bigint      not null,  -- all lower positions are in the rows
                changed    timestamptz not null default clock_timestamp(),

                constraint projection_positions_projection primary key (projection),
                constraint projection_positions_next check (next >= 0)
            );
            grant select, insert, update on \(table) to \(SQLName.quoted(role));
            """
    }
}
