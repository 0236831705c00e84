import EventLog
import Events
import Synchronization
import TestSupport
import Testing
import Threads

@testable import LedgerService

@Suite struct CheckpointPaceTests {
    /// How late this machine is at present: what a short sleep takes beyond its time, at worst.
    private final class Lateness: Sendable {
        private let worst = Lock(Duration.zero)
        var value: Duration { worst.withLock { $0 } }

        func watch() async {
            while !Task.isCancelled {
                let start = ContinuousClock.now
                try? await Task.sleep(for: .milliseconds(20))
                let late = ContinuousClock.now - start - .milliseconds(20)
                worst.withLock { $0 = max($0, late) }
            }
        }
    }

    @Test func `each append is under a signed checkpoint within a second, and a busy machine's own lateness`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                let lateness = Lateness()
                let watching = Task { await lateness.watch() }
                defer { watching.cancel() }
                for number in 0..<20 {
                    let position = try await ledger.append(try Sample.append("c\(number)"), writer: .billing).position
                    let answered = ContinuousClock.now
                    try await eventually { (ledger.checkpointer.latest?.checkpoint.size ?? 0) > position }
                    let took = ContinuousClock.now - answered
                    #expect(took <= .seconds(1) + lateness.value * 20, "append \(number), \(took); lateness \(lateness.value)")
                }
                #expect(Checkpointer.interval * 2 < .seconds(1), "a busy log signs twice within a second")
            }
        }
    }
}

/// Which checkpoints stay.
@Suite struct CheckpointThinningTests {
    @Test func `of older checkpoints the last of each hour stays, and the last that was cosigned`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == 1 }
            }
            // Three hours with 20 each before the newest ones, and a fourth that is not ten minutes old; 7 and 13 of each have a cosignature.
            try await database.database.sql(
                """
                create table public.first as select max(number) as number, max(size) as size, max(note) as note from ledger.checkpoints;
                insert into ledger.checkpoints (number, size, note, signed)
                select number + 20 * hour + minute, size, note,
                    date_bin('1 hour', clock_timestamp(), '2000-01-01Z') + (hour - 5) * interval '1 hour' + minute * interval '1 minute'
                from public.first, generate_series(0, 2) as hour, generate_series(1, 20) as minute;
                insert into ledger.checkpoints (number, size, note)
                select number + 60 + young, size, note from public.first, generate_series(1, 20) as young;
                insert into ledger.cosignatures
                select checkpoints.number, 'line' from ledger.checkpoints, public.first
                where checkpoints.number > first.number and (checkpoints.number - first.number) % 20 in (7, 13)
                """)
            try await database.withLedger { ledger in
                let kept: @Sendable () async throws -> [Int] = {
                    try await database.database.sql(
                        """
                        select checkpoints.number - first.number from ledger.checkpoints, public.first
                        where checkpoints.number - first.number between 1 and 80 order by 1
                        """
                    ).split(separator: "\n").compactMap { Int($0) }
                }
                let wanted = [13, 20, 33, 40, 53, 60] + Array(61...80)
                try await eventually("superfluous checkpoints are gone") { try await kept().count <= wanted.count }
                #expect(try await kept() == wanted)
                let lines = try await database.database.sql(
                    "select count(*) from ledger.cosignatures, public.first where checkpoint - first.number < 61")
                #expect(lines == "3", "\(lines)")
                _ = try await ledger.append(try Sample.append("c2"), writer: .billing)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == 2 }
            }
        }
    }
}
