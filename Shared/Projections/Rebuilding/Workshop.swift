internal import Postgres

/// A schema of its own in which a rebuild makes its tables: copies of the live ones' shape, empty, with all names alike, so
/// that taking the live ones' place is no more than moving to their schema.
struct Workshop: Sendable {
    let live: String
    let name: String
    let tables: [String]

    init(_ projection: some Projection) {
        live = projection.schema
        name = "\(projection.schema)_rebuild_\(projection.name)"
        tables = projection.tables
    }

    private var quoted: String { SQLName.quoted(name) }
    private func here(_ table: String) -> String { quoted + "." + SQLName.quoted(table) }
    private func there(_ table: String) -> String { SQLName.quoted(live) + "." + SQLName.quoted(table) }

    /// Clears away what an interrupted rebuild left, and makes the tables.
    /// - Throws: ``ProjectionError/cannotRebuild(table:reason:)`` for a table that is more than rows, keys and rights.
    func open(_ session: PostgresSession) throws {
        try session.transaction { session in
            // Definitions are to come with every name qualified.
            try session.executeScript(
                "set local search_path to pg_catalog; drop schema if exists \(quoted) cascade; create schema \(quoted)")
            for table in tables { try check(table, session) }
            for table in tables { try copyShape(of: table, session) }
            for table in tables { try copyReferences(of: table, session) }
        }
    }

    /// Plans of the new tables are made from knowledge of their rows, as the live ones' were.
    func analyze(_ session: PostgresSession) throws {
        for table in tables { try session.executeScript("analyze \(here(table))") }
    }

    /// Puts the new tables in the place of the live ones, in the open transaction.
    func takePlace(_ session: PostgresSession) throws {
        guard !tables.isEmpty else { return try remove(session) }
        let old = tables.map(there).joined(separator: ", ")
        // All at once and in one order: readers of several tables wait, or are waited for, and meet no deadlock with this.
        try session.executeScript("lock table \(old) in access exclusive mode; drop table \(old)")
        for table in tables { try session.executeScript("alter table \(here(table)) set schema \(SQLName.quoted(live))") }
        try remove(session)
    }

    /// How many rows are only in the one or only in the other, for each table.
    func differences(_ session: PostgresSession) throws -> [String: Int] {
        var all: [String: Int] = [:]
        for table in tables {
            let (old, new) = (there(table), here(table))
            let count = try session.execute(
                Statement(
                    """
                    select count(*) as rows from (
                        (select * from \(old) except all select * from \(new)) union all (select * from \(new) except all select * from \(old))
                    ) as different
                    """, name: "compare \(table)")
            ).one().int("rows")
            if count > 0 { all[table] = Int(count) }
        }
        return all
    }

    /// Drops the schema with all that is left in it.
    func remove(_ session: PostgresSession) throws { try session.executeScript("drop schema if exists \(quoted) cascade") }
}

// MARK: Shape

extension Workshop {
    private func copyShape(of table: String, _ session: PostgresSession) throws {
        let facts = try session.execute(ShapeSQL.facts, [.text(live), .text(table)]).one()
        let unlogged = try facts.text("persistence") == "u" ? "unlogged " : ""
        try session.executeScript(
            """
            create \(unlogged)table \(here(table)) (like \(there(table)) including comments including compression
                including constraints including defaults including generated including statistics including storage)
            """)
        if let options = try facts.optionalText("options") { try session.executeScript("alter table \(here(table)) set (\(options))") }
        for row in try session.execute(ShapeSQL.keys, [.text(live), .text(table)]) {
            try session.executeScript("alter table \(here(table)) add constraint \(try row.text("name")) \(try row.text("definition"))")
        }
        for row in try session.execute(ShapeSQL.indexes, [.text(live), .text(table)]) {
            let (head, definition) = (try row.text("head"), try row.text("definition"))
            guard definition.hasPrefix(head + " ") else {
                throw ProjectionError.cannotRebuild(table: table, reason: "its index \(definition) can't be copied")
            }
            let unique = try row.bool("unique") ? "unique " : ""
            try session.executeScript(
                "create \(unique)index \(try row.text("name")) on \(here(table))\(definition.dropFirst(head.count))")
        }
        for row in try session.execute(ShapeSQL.grants, [.text(live), .text(table)]) {
            let option = try row.bool("grantable") ? " with grant option" : ""
            try session.executeScript("grant \(try row.text("privilege")) on \(here(table)) to \(try row.text("grantee"))\(option)")
        }
        if let owner = try facts.optionalText("owner") { try session.executeScript("alter table \(here(table)) owner to \(owner)") }
    }

    /// Foreign keys: between tables of the projection they go from copy to copy.
    private func copyReferences(of table: String, _ session: PostgresSession) throws {
        for row in try session.execute(ShapeSQL.references, [.text(live), .text(table)]) {
            var definition = try row.text("definition")
            let (target, schema) = (try row.text("target"), try row.text("target_schema"))
            if schema == live, tables.contains(target) {
                let (old, new) = (" REFERENCES \(try row.text("qualified"))(", " REFERENCES \(here(target))(")
                guard let range = definition.firstRange(of: old) else {
                    throw ProjectionError.cannotRebuild(table: table, reason: "its key \(definition) can't be copied")
                }
                definition.replaceSubrange(range, with: new)
            }
            try session.executeScript("alter table \(here(table)) add constraint \(try row.text("name")) \(definition)")
        }
    }

    private func check(_ table: String, _ session: PostgresSession) throws {
        let rows = try session.execute(ShapeSQL.obstacles, [.text(live), .text(table), .textArray(tables)])
        guard let row = rows.first else { throw ProjectionError.cannotRebuild(table: table, reason: "schema \(live) has no such table") }
        if let reason = try row.optionalText("reason") { throw ProjectionError.cannotRebuild(table: table, reason: reason) }
    }
}
