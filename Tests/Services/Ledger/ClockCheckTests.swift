import EventLog
import Events
import Foundation
import HTTPClient
import LedgerService
import Synchronization
import Telemetry
import TestSupport
import Testing
import Threads

@Suite struct ClockCheckTests {
    private func clock(_ text: String) throws -> LedgerClock {
        let time = try #require(Timestamp(text))
        return LedgerClock { time }
    }

    @Test func `a clock behind the newest event or the program is told with both times, and one that is right says nothing`() throws {
        let check = ClockCheck(try clock("2026-03-01T12:00:00.000000Z"))
        let later = try #require(Timestamp("2026-03-01T12:05:00.000000Z"))
        let same = try #require(Timestamp("2026-03-01T12:01:00.000000Z"))
        #expect(check.trouble(last: nil, made: nil) == nil)
        // Machines differ by a little.
        #expect(check.trouble(last: same, made: same) == nil)
        let behind = try #require(check.trouble(last: later, made: nil))
        #expect(behind.contains("2026-03-01T12:00:00") && behind.contains("2026-03-01T12:05:00") && behind.contains("timedatectl"))
        let old = try #require(check.trouble(last: same, made: later))
        #expect(old.contains("before this program was made"))
        #expect(ClockCheck.programMade != nil)
    }

    @Test func `a ledger whose clock went back says so at its start`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("late", "account/a"), writer: .billing)
            }
            let said = Lock("")
            let sink = LogSink { line in said.withLock { $0 += String(decoding: line, as: UTF8.self) } }
            let back = LedgerClock { Timestamp(microseconds: LedgerClock.frozen.now().microseconds - 86_400_000_000) }
            let ledger = try await Ledger.make(
                try database.settings(), transport: try CurlTransport(), logger: Logger(sink: sink), metrics: Metrics(), clock: back)
            // Begun and stopped, it lets go of the database.
            let running = Task { await ledger.run() }
            running.cancel()
            await running.value
            #expect(said.withLock { $0 }.contains("the newest event on the log is of"), "\(said.withLock { $0 })")
        }
    }
}
