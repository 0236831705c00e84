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
