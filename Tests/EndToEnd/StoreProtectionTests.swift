import Postgres
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("The store's own protection")
    struct StoreProtectionTests {
        private static let tables = ["events", "tiles", "terms", "identity", "checkpoints", "cosignatures"]

        /// Ways to change what was written, on each table that is append-only.
        private static let changes: [String] = tables.flatMap { table in
            [
                "update ledger.\(table) set \(column[table] ?? "") = \(column[table] ?? "")", "delete from ledger.\(table)",
                "delete from ledger.\(table) where false", "truncate ledger.\(table) cascade",
            ]
        }

        private static let column = [
            "events": "bytes", "tiles": "hashes", "terms": "holder", "identity": "origin", "checkpoints": "note", "cosignatures": "line",
        ]

        /// Runs a script that must be refused with this code; with nil, that must be let through.
        private static func expect(
            _ code: SQLState?, _ sql: String, _ connection: PostgresConnection, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            var found: SQLState?
            do { _ = try await connection.executeScript(sql) } catch let error as PostgresError { found = error.code }
            #expect(found == code, "\(sql)", sourceLocation: sourceLocation)
        }

        @Test("Nobody changes the past: not the service, not the owner, not another service")
        func nobodyChangesThePast() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let load = Load("store", at: ledger)
                try await load.advance(by: 300)
                try await load.finish()
                let before = try await LogCheck(ledger)

                try await house.withLedgerRole { role in
                    for change in Self.changes { try await Self.expect(.insufficientPrivilege, change, role) }
                    let ways = [
                        "alter table ledger.events disable trigger append_only", "drop trigger append_only on ledger.events",
                        "set session_replication_role = replica", "drop table ledger.events",
                        "alter table ledger.events drop constraint events_position",
                        "create or replace function ledger.refuse_change() returns trigger language plpgsql as 'begin return new; end'",
                        "create or replace function ledger.refuse_term() returns trigger language plpgsql as 'begin return new; end'",
                        "alter table ledger.events disable trigger hold_term", "select setval('ledger.term_number', 1)",
                        "create table ledger.mine (a int)", "create table public.mine (a int)", "set role openledger",
                        "delete from ledger.carriage", "set openledger.thinning = 'on'; delete from ledger.checkpoints",
                        "set openledger.thinning = 'on'; delete from ledger.cosignatures",
                    ]
                    for way in ways { try await Self.expect(.insufficientPrivilege, way, role) }
                }
                try await house.withOwner { owner in
                    // ON CONFLICT DO UPDATE is an update too.
                    let upsert = """
                        insert into ledger.events select * from ledger.events where position = 0 on conflict (position) do update set bytes = 'x'
                        """
                    for change in Self.changes + [upsert] {
                        try await Self.expect(.restrictViolation, change, owner)
                    }
                }
                try await Roles(try PostgresConfiguration(url: house.cluster.url())).ensure([Roles.Login(service: "ingest", password: nil)])
                try await house.withConnection(try PostgresConfiguration(url: house.cluster.url(user: "openledger_ingest"))) { other in
                    try await Self.expect(nil, "select 1", other)
                    for table in Self.tables + ["carriage"] {
                        try await Self.expect(.insufficientPrivilege, "select * from ledger.\(table)", other)
                        try await Self.expect(.insufficientPrivilege, "insert into ledger.\(table) default values", other)
                        try await Self.expect(.insufficientPrivilege, "delete from ledger.\(table)", other)
                    }
                }
                let after = try await LogCheck(ledger)
                #expect(after.events == before.events)
                after.expect(load)
                try await after.expectTree(ledger)
                await ledger.child.stop()
            }
        }
    }
}

extension SQLState {
    /// What the triggers of append-only tables raise.
    fileprivate static let restrictViolation = SQLState(rawValue: "23001")
}
