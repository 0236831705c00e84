import EventLog
import Events
import LedgerService
import Postgres
import Projections
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct RebuildTests {
    /// All of the schema's objects and rights, by name and definition.
    private func shape(_ database: ProjectionDatabase) async throws -> String {
        try await database.database.sql(
            """
            select 'index', indexname, indexdef from pg_indexes where schemaname = 'billing' union all
            select 'constraint', conname, pg_get_constraintdef(k.oid) from pg_constraint k join pg_namespace n on n.oid = k.connamespace where nspname = 'billing' union all
            select 'table', relname || coalesce(reloptions::text, ''), coalesce(relacl::text, '') from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where nspname = 'billing' and relkind = 'r' union all
            select 'column', c.relname || '.' || attname, format_type(atttypid, atttypmod) || attnotnull || coalesce(col_description(c.oid, attnum), '')
                from pg_attribute a join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = c.relnamespace where nspname = 'billing' and relkind = 'r' and attnum > 0
            order by 1, 2, 3
            """)
    }

    private func isWorkshopLeft(_ database: ProjectionDatabase) async throws -> Bool {
        try await database.database.sql("select count(*) from pg_namespace where nspname = 'billing_rebuild_balances'") != "0"
    }

    @Test func `a rebuild makes the same rows in tables of the same shape, while events go on coming`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("rebuild", client)
                try await deposits.append(random: 3_000)
                let before = try await shape(database)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    try await runner.waitUntilApplied(2_999, timeout: .seconds(60))
                    let seen = Lock<[RebuildProgress]>([])
                    let appends = Task {
                        var end: UInt64 = 0
                        for _ in 0..<400 where !Task.isCancelled { end = try await deposits.append(random: 7) }
                        return end
                    }
                    let rebuild = try ProjectionRebuild(Balances(), client: client, database: database.owner, batch: 500)
                    for _ in 0..<3 {
                        let report = try await rebuild.run { progress in seen.withLock { $0.append(progress) } }
                        #expect(report.next >= 3_000)
                    }
                    appends.cancel()
                    let end = try await appends.value
                    // The runner goes on in the new tables, from where they are.
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(30))
                    #expect(runner.status.state == .live)
                    #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                    let progress = seen.withLock { $0 }
                    #expect(progress.count > 3 * 6)
                    #expect(progress.filter { $0.phase == .done }.count == 3)
                    #expect(progress.allSatisfy { $0.next <= $0.size })
                }
                #expect(try await shape(database) == before)
                #expect(try await !isWorkshopLeft(database))
            }
        }
    }

    @Test func `readers find full tables at every moment`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("readers", client)
                try await deposits.append(random: 1_000)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    try await runner.waitUntilApplied(999, timeout: .seconds(60))
                    let pool = PostgresPool(try database.role("billing"), size: 2)
                    let reader = Task {
                        var reads = 0
                        while !Task.isCancelled {
                            let row = try await pool.execute(
                                "select (select count(*) from billing.entries) as entries, (select sum(count)::bigint from billing.balances) as count"
                            ).one()
                            guard try row.int(0) == 1_000, try row.int(1) == 1_000 else {
                                throw ProjectionError.cannotApply("a reader saw \(row)")
                            }
                            reads += 1
                        }
                        return reads
                    }
                    for _ in 0..<3 { _ = try await ProjectionRebuild(Balances(), client: client, database: database.owner).run() }
                    reader.cancel()
                    do { #expect(try await reader.value > 3) } catch is CancellationError {}
                    await pool.close()
                }
            }
        }
    }

    @Test func `a comparison finds the row that is not what the log says, and leaves the live rows alone`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("compare", client)
                let end = try await deposits.append(random: 400)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(60))
                    let rebuild = try ProjectionRebuild(Balances(), client: client, database: database.owner, batch: 64)
                    let appends = Task { for _ in 0..<400 where !Task.isCancelled { try await deposits.append(random: 3) } }
                    #expect(try await rebuild.run(.compare).differences.isEmpty)
                    appends.cancel()
                    _ = await appends.result
                    try await database.database.sql("update billing.entries set amount = amount + 1 where position = 77")
                    let damaged = try await database.rows()
                    let report = try await rebuild.run(.compare)
                    #expect(report.differences == ["entries": 2])
                    #expect(try await database.rows() == damaged)
                    _ = try await rebuild.run()
                    #expect(try await rebuild.run(.compare).differences.isEmpty)
                }
                #expect(try await !isWorkshopLeft(database))
            }
        }
    }

    @Test func `an event that can't be applied ends the rebuild, names the position and leaves the live rows`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let end = try await Deposits("bad-rebuild", client).append(random: 100)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) {
                    try await $0.waitUntilApplied(end - 1, timeout: .seconds(20))
                }
                let live = try await database.rows()
                var broken = Balances(version: 2)
                broken.before = { events, _ in
                    if events.contains(where: { $0.position == 61 }) { throw ProjectionError.cannotApply("not this one") }
                }
                let rebuild = try ProjectionRebuild(broken, client: client, database: database.owner)
                await #expect(throws: ProjectionError.stopped(projection: "billing.balances", position: 61, reason: "not this one")) {
                    _ = try await rebuild.run()
                }
                #expect(try await database.rows() == live)
                #expect(try await !isWorkshopLeft(database))
            }
        }
    }

    @Test func `a rebuild that was killed leaves the live rows, and the next one begins again`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let end = try await Deposits("killed", client).append(random: 600)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) {
                    try await $0.waitUntilApplied(end - 1, timeout: .seconds(20))
                }
                let live = try await database.rows()
                let dies = Switch(true)
                var dying = Balances()
                dying.after = { events, session in
                    if events.contains(where: { $0.position == 400 }), dies.take() {
                        _ = try session.execute("select pg_terminate_backend(pg_backend_pid())")
                    }
                }
                let rebuild = try ProjectionRebuild(dying, client: client, database: database.owner, batch: 100)
                await #expect(throws: PostgresError.self) { _ = try await rebuild.run() }
                #expect(try await isWorkshopLeft(database))
                #expect(try await database.rows() == live)
                #expect(try await rebuild.run().next == end)
                #expect(try await database.rows() == live)
                #expect(try await !isWorkshopLeft(database))
            }
        }
    }

    @Test func `two rebuilds of one projection do not meet`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                try await Deposits("meet", client).append(random: 50)
                let refused = Switch(false)
                var outer = Balances()
                let rebuild = try ProjectionRebuild(Balances(), client: client, database: database.owner)
                let (reached, reach) = AsyncStream.makeStream(of: Void.self)
                let gate = Switch(true)
                outer.before = { _, session in
                    reach.yield()
                    // The thread belongs to this connection: it may wait.
                    while gate.isOn { _ = try session.execute("select pg_sleep(0.005)") }
                }
                let slow = try ProjectionRebuild(outer, client: client, database: database.owner)
                let first = Task { try await slow.run() }
                for await _ in reached { break }
                do {
                    _ = try await rebuild.run()
                } catch ProjectionError.rebuildRunning {
                    refused.isOn = true
                }
                gate.isOn = false
                #expect(refused.isOn)
                #expect(try await first.value.next == 50)
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
            }
        }
    }

    @Test(arguments: [
        ("create view billing.seen as select account from billing.entries", "a view depends on it"),
        ("alter table billing.balances add column serial bigserial", "a column takes its values from a sequence"),
        ("alter table billing.balances add column number bigint generated always as identity", "a column takes its values from a sequence"),
        ("alter table billing.entries enable row level security", "it has row level security"),
        ("create table billing.other (account text references billing.balances (account))", "a table outside the projection refers to it"),
        ("grant update (amount) on billing.entries to openledger_billing", "it has rights on single columns"),
        (
            "create trigger t before update on billing.entries for each row execute function suppress_redundant_updates_trigger()",
            "it has a trigger"
        ),
        ("drop table billing.entries", "schema billing has no such table"),
    ]) func `a table that can't be copied whole is refused, with the reason`(sql: String, reason: String) async throws {
        try await withProjectionDatabase { database in
            try await database.database.sql(sql)
            let before = try await shape(database)
            do {
                _ = try await ProjectionRebuild(Balances(), client: NoLog(), database: database.owner).run()
                Issue.record("it was copied")
            } catch ProjectionError.cannotRebuild(_, let said) {
                #expect(said.contains(reason))
            }
            #expect(try await shape(database) == before)
            #expect(try await !isWorkshopLeft(database))
        }
    }

    @Test func `the log that ends before the live rows is not taken for their log`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let end = try await Deposits("short", client).append(random: 10)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) {
                    try await $0.waitUntilApplied(end - 1, timeout: .seconds(20))
                }
                try await database.database.sql("update billing.projection_positions set next = 999")
                let rebuild = try ProjectionRebuild(Balances(), client: client, database: database.owner)
                await #expect(throws: ProjectionError.logTooShort(projection: "billing.balances", position: 999, size: 10)) {
                    _ = try await rebuild.run()
                }
            }
        }
    }
}
