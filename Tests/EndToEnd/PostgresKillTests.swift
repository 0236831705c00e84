import EventLog
import JSON
import Postgres
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("A killed PostgreSQL")
    struct PostgresKillTests {
        @Test("kill -9 of PostgreSQL under load: the ledger says why it is not ready, goes on by itself, and nothing acknowledged is lost")
        func killedUnderLoad() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let load = Load("crash", at: ledger)
                for _ in 0..<3 {
                    try await load.advance(by: 120)
                    try await house.cluster.kill()
                    try await eventually("readyz to say that the database is gone", timeout: .seconds(20)) {
                        let answer = try await ledger.ask("GET", "/readyz", token: "")
                        return answer.status == 503 && answer.text.contains("database")
                    }
                    #expect(try await ledger.ask("GET", "/healthz", token: "").status == 200, "the process lives on")
                    let refused = await #expect(throws: (any Error).self) {
                        try await ledger.client().append(try Sample.append("other-while-away"))
                    }
                    guard case .unavailable? = refused as? LogError else {
                        Issue.record("an append without a database is refused as unavailable, not \(String(describing: refused))")
                        return
                    }
                    try await house.cluster.restart()
                    // Attempts to connect come every second or two, and one that fails must fail at once.
                    try await ledger.child.waitUntilReady(ledger.url + "/readyz", timeout: .seconds(8))
                }
                try await load.advance(by: 120)
                try await load.finish()
                #expect(load.repeated > 0)
                let check = try await LogCheck(ledger)
                check.expect(load)
                try await check.expectTree(ledger)
                #expect(try await LogCheck.expectTerms(house).count == 4, "each crash ends a term and begins one")
                #expect(await ledger.child.stop() == .exited(0))
            }
        }

        @Test("All its connections ended by an administrator: the ledger connects again and leads on")
        func connectionsEnded() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let load = Load("ended", at: ledger)
                for _ in 0..<5 {
                    try await load.advance(by: 60)
                    try await house.withOwner { owner in
                        _ = try await owner.execute(
                            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'openledger_ledger'")
                    }
                }
                try await load.advance(by: 60)
                try await load.finish()
                let check = try await LogCheck(ledger)
                check.expect(load)
                try await check.expectTree(ledger)
                #expect(try await LogCheck.expectTerms(house).count == 6)
                await ledger.child.stop()
            }
        }

        @Test("A commit that can't be answered, because the server died with it: the retry finds it or does it, once")
        func diedInCommit() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                // Made anew for each attempt: a command's time must not be old when it is new to the log.
                @Sendable func request(_ number: Int) throws -> AppendRequest { try Sample.append("doubtful-\(number)") }
                // The transaction that holds them dies with the server.
                _ = try? await house.holdingCommits {
                    let hanging = (0..<10).map { number in Task { try await ledger.client().append(try request(number)) } }
                    try await eventually("the writer to wait for the lock") { try await house.waitingWriters() == 1 }
                    try await house.cluster.kill()
                    for task in hanging { await #expect(throws: LogError.self) { try await task.value } }
                }
                try await house.cluster.restart()
                try await ledger.child.waitUntilReady(ledger.url + "/readyz")
                var answers: [Appended] = []
                for number in 0..<10 { answers.append(try await ledger.client().append(try request(number))) }
                for number in 0..<10 { #expect(try await ledger.client().append(try request(number)) == answers[number]) }
                let check = try await LogCheck(ledger)
                #expect(check.events.count == 10)
                try await check.expectTree(ledger)
                await ledger.child.stop()
            }
        }

        @Test("A crash between a commit and its way to the disk: whether it is there or not, nobody was told, and the retry has it once")
        func diedBeforeFlush() async throws {
            try await House.with { house in
                // Flushes of the ledger's role wait at a lock, as they would on a disk that hangs.
                try await house.withOwner { owner in
                    _ = try await owner.executeScript(
                        """
                        create schema slow;
                        grant usage on schema slow to openledger_ledger;
                        create function slow.pg_logical_emit_message(boolean, text, text) returns pg_lsn language plpgsql as $$
                        begin
                            perform pg_advisory_xact_lock(7341);
                            return pg_catalog.pg_logical_emit_message($1, $2, $3);
                        end
                        $$;
                        alter role openledger_ledger set search_path = slow, pg_catalog;
                        """)
                }
                let ledger = try await house.startLedger()
                let before = try await ledger.client().append(try Sample.append("before"))
                // Made anew for each attempt: a command's time must not be old when it is new to the log.
                @Sendable func request(_ number: Int) throws -> AppendRequest {
                    try Sample.append("doubtful-\(number)", (0..<200).map { "account/\(number)-\($0)" })
                }
                _ = try? await house.withOwner { owner in
                    _ = try await owner.execute("select pg_advisory_lock(7341)")
                    let hanging = (0..<4).map { number in Task { try await ledger.client().append(try request(number)) } }
                    try await eventually("the commits to be seen") {
                        try await owner.execute("select count(*) from ledger.events").one().int(0) == 801
                    }
                    try await house.cluster.kill()
                    for task in hanging { await #expect(throws: LogError.self) { try await task.value } }
                }
                try await house.cluster.restart()
                try await ledger.child.waitUntilReady(ledger.url + "/readyz")
                #expect(try await ledger.client().append(try Sample.append("before")) == before)
                var answers: [Appended] = []
                for number in 0..<4 { answers.append(try await ledger.client().append(try request(number))) }
                for number in 0..<4 { #expect(try await ledger.client().append(try request(number)) == answers[number]) }
                let check = try await LogCheck(ledger)
                #expect(check.events.count == 801)
                try await check.expectTree(ledger)
                await ledger.child.stop()
            }
        }
    }
}
