import Crypto
import EventLog
import Events
import LedgerDomain
import Postgres
import Synchronization
import TestSupport
import Testing
import Threads

@testable import LedgerService

/// What is committed and not yet on disk. The server is made to hold every flush of one database at a lock, as a disk
/// that hangs would: a function of the same name stands before the server's own in the path of the ledger's role.
@Suite struct FlusherTests {
    private static let gate: Int64 = 7_341

    private struct Gate {
        let database: LedgerDatabase
        let keeper: PostgresConnection

        init(_ database: LedgerDatabase) async throws {
            self.database = database
            try await database.database.sql(
                """
                create schema slow;
                grant usage on schema slow to openledger_ledger;
                create function slow.pg_logical_emit_message(boolean, text, text) returns pg_lsn language plpgsql as $$
                begin
                    perform pg_advisory_xact_lock(\(FlusherTests.gate));
                    return pg_catalog.pg_logical_emit_message($1, $2, $3);
                end
                $$;
                alter role openledger_ledger in database "\(database.database.name)" set search_path = slow, pg_catalog;
                """)
            keeper = try await PostgresConnection.connect(try database.owner)
        }

        func shut() async throws { try await keeper.execute("select pg_advisory_lock($1)", [.int(FlusherTests.gate)]) }
        func open() async throws { try await keeper.execute("select pg_advisory_unlock($1)", [.int(FlusherTests.gate)]) }
        func stored() async throws -> Int64 { try await keeper.execute("select count(*) from ledger.events").one().int(0) }
        /// Sessions of one name that wait at the gate.
        func waiting(_ name: String) async throws -> Int64 {
            try await keeper.execute(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and application_name = $1 and wait_event = 'advisory'
                """, [.text(name)]
            ).one().int(0)
        }
    }

    /// What was seen so far.
    private final class Noted: Sendable {
        private let all = Lock<[String]>([])
        var count: Int { all.withLock { $0.count } }
        func note(_ what: String) { all.withLock { $0.append(what) } }
    }

    /// As many rows as make a commit that does not wait for the disk.
    private static func large(_ command: String) throws -> AppendRequest {
        AppendRequest(events: try Sample.command(command, streams: (0..<LogWriter.copyFrom).map { "account/\(command)-\($0)" }))
    }

    @Test func `what is committed and not on disk is answered to nobody and shown to nobody`() async throws {
        try await withLedgerDatabase { database in
            let gate = try await Gate(database)
            try await database.withLedger { ledger in
                let count = UInt64(LogWriter.copyFrom)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == 0 }
                try await gate.shut()
                let answered = Noted()
                let first = Task {
                    let answer = try await ledger.append(try Self.large("a"), writer: .billing)
                    answered.note("stored")
                    return answer
                }
                try await eventually { try await gate.waiting("openledger-flusher") == 1 }
                #expect(try await gate.stored() == Int64(count), "the commit itself did not wait")
                // A small commit waits for the disk itself; but it stands on the large one.
                let second = Task {
                    let answer = try await ledger.append(try Sample.append("b", "account/b"), writer: .billing)
                    answered.note("stored")
                    return answer
                }
                try await eventually { try await gate.stored() == Int64(count) + 1 }
                #expect(answered.count == 0)
                #expect(ledger.tail.size == 0)
                #expect(try await ledger.reader.read(from: 0, limit: 10, wait: nil).events.isEmpty)
                #expect(ledger.checkpointer.latest?.checkpoint.size == 0)
                // Who reads a stream from the database waits for the disk first.
                let stream = try #require(StreamName("account/a-0"))
                let reading = Task { try await ledger.reader.read(stream: stream, from: 0, limit: 1) }
                try await eventually { try await gate.waiting("openledger") == 1 }

                try await gate.open()
                #expect(try await first.value.position == 0)
                #expect(try await second.value.position == count)
                #expect(try await reading.value.map(\.position) == [0])
                #expect(ledger.tail.size == count + 1)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == count + 1 }
            }
            await gate.keeper.close()
        }
    }

    @Test func `a ledger that waits for the lead shows only what is on disk`() async throws {
        try await withLedgerDatabase { database in
            let gate = try await Gate(database)
            try await database.withLedger { leader in
                try await database.withLedger(try database.settings("second"), awaitLead: false) { follower in
                    _ = try await leader.append(try Sample.append("a", "account/a"), writer: .billing)
                    try await eventually { follower.tail.size == 1 }
                    try await gate.shut()
                    let append = Task { try await leader.append(try Self.large("b"), writer: .billing) }
                    try await eventually { try await gate.waiting("openledger") == 1 }
                    #expect(try await gate.stored() > 1)
                    #expect(follower.tail.size == 1)
                    try await gate.open()
                    let size = try await append.value.position + UInt64(LogWriter.copyFrom)
                    try await eventually { follower.tail.size == size }
                }
            }
            await gate.keeper.close()
        }
    }

    @Test func `the session that flushes is lost: nobody is told that it is stored, and who asks again finds it once`() async throws {
        try await withLedgerDatabase { database in
            let gate = try await Gate(database)
            try await database.withLedger { ledger in
                try await gate.shut()
                let large = try Self.large("a")
                let append = Task { try await ledger.append(large, writer: .billing) }
                try await eventually { try await gate.waiting("openledger-flusher") == 1 }
                let behind = Task { try await ledger.append(try Sample.append("b", "account/b"), writer: .billing) }
                try await eventually { try await gate.stored() == Int64(LogWriter.copyFrom) + 1 }
                try await gate.keeper.execute(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where application_name = 'openledger-flusher' and datname = current_database()
                    """)
                for task in [append, behind] {
                    let error = await #expect(throws: LogError.self) { try await task.value }
                    guard case .unavailable = error else {
                        Issue.record("not known yet is what there is to say, not \(String(describing: error))")
                        return
                    }
                }
                #expect(ledger.tail.size == 0)
                try await gate.open()
                try await eventually { ledger.isLeading && ledger.tail.size == UInt64(LogWriter.copyFrom) + 1 }
                #expect(try await ledger.append(large, writer: .billing).position == 0)
                #expect(
                    try await ledger.append(try Sample.append("b", "account/b"), writer: .billing).position == UInt64(LogWriter.copyFrom))
                #expect(try await gate.stored() == Int64(LogWriter.copyFrom) + 1)
                #expect(try await gate.keeper.execute("select count(*) from ledger.terms").one().int(0) == 2)
            }
            await gate.keeper.close()
        }
    }

    @Test func `a batch that fails behind one that waits for the disk takes nothing of it along`() async throws {
        try await withLedgerDatabase { database in
            let gate = try await Gate(database)
            try await database.withLedger { ledger in
                try await gate.shut()
                let first = Task { try await ledger.append(try Self.large("a"), writer: .billing) }
                try await eventually { try await gate.waiting("openledger-flusher") == 1 }
                // The same command with another body, and a refusal that rests on what is not on disk yet.
                let conflict = AppendRequest(events: try Sample.command("a", streams: ["account/z"], digest: .zero))
                let outcomes = Noted()
                let others = [conflict, try Sample.append("c", "account/a-0", expected: ["account/a-0": .none])].map { request in
                    Task {
                        do { _ = try await ledger.append(request, writer: .billing) } catch {
                            outcomes.note("\(error)")
                            throw error
                        }
                    }
                }
                let witness = Task { try await ledger.append(try Sample.append("d", "account/d"), writer: .billing) }
                try await eventually { try await gate.stored() == Int64(LogWriter.copyFrom) + 1 }
                #expect(outcomes.count == 0)
                try await gate.open()
                #expect(try await first.value.position == 0)
                #expect(try await witness.value.position == UInt64(LogWriter.copyFrom))
                for task in others { await #expect(throws: LogError.self) { try await task.value } }
                #expect(try await gate.stored() == Int64(LogWriter.copyFrom) + 1)
            }
            await gate.keeper.close()
        }
    }

    @Test func `without its session nothing more is answered for`() async throws {
        let flusher = Flusher { _ in Issue.record("nothing may be published") }
        struct Gone: Error {}
        flusher.fail(Gone())
        let written = WrittenBatch(outcomes: [], size: 1, isOnDisk: true)
        #expect(throws: Gone.self) { try flusher.settle(Flusher.Item(batch: [], written: written, start: .now)) }
    }
}
