import EventLog
import Events
import Glibc
import TestSupport
import Testing

@testable import LedgerService

/// A database that hangs says nothing, so the ledger has to.
@Suite struct HungDatabaseTests {
    @Test func `while the writer's session hangs the ledger is not ready, and who only waits can leave`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                try await eventually { ledger.notReady == nil }
                let answer = try await database.database.sql(
                    "select pid from pg_stat_activity where application_name = 'openledger-writer' and datname = current_database()")
                let backend = try #require(pid_t(answer.split(separator: "\n").first ?? ""))
                try #require(kill(backend, SIGSTOP) == 0)
                defer { kill(backend, SIGCONT) }
                let (second, third) = (try Sample.append("c2"), try Sample.append("c3"))
                let taken = Task { try await ledger.append(second, writer: .billing) }
                try await eventually { ledger.notReady(patience: .milliseconds(200)) != nil }
                // The writer has it in hand, unless what hangs is its question whether the server is still there.
                let held = ledger.queue.count
                let waiting = Task { try await ledger.append(third, writer: .billing) }
                try await eventually { ledger.queue.count == held + 1 }
                waiting.cancel()
                await #expect(throws: LogError.self) { try await waiting.value }
                #expect(ledger.queue.count == held)
                kill(backend, SIGCONT)
                #expect(try await taken.value.position == 1)
                #expect(ledger.notReady(patience: .milliseconds(200)) == nil)
            }
        }
    }
}
