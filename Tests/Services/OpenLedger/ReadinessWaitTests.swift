import Synchronization
import Testing
import Threads
import Web

@testable import openledger

@Suite struct ReadinessWaitTests {
    @Test func `what a check waits for is told after a while and again, until it is ready`() async throws {
        let asked = Lock(0)
        let said = Lock<[String]>([])
        let check = ReadinessCheck("rows") {
            // Ready once it has been told twice.
            asked.withLock { $0 += 1 }
            return said.withLock { $0.count } < 2 ? .notReady("at 3 of 40 events") : .ready
        }
        try await ReadinessWait(check).run(patience: .milliseconds(20)) { line in said.withLock { $0.append(line) } }
        let lines = said.withLock { $0 }
        #expect(lines.count == 2 && lines.allSatisfy { $0.contains("rows waits: at 3 of 40 events") }, "\(lines)")
        #expect(asked.withLock { $0 } >= 3)
    }

    @Test func `one that is ready at once says nothing`() async throws {
        try await ReadinessWait(ReadinessCheck("rows") { .ready }).run(patience: .zero) { Issue.record("\($0)") }
    }

    @Test func `whoever has had enough waits no longer`() async throws {
        let wait = ReadinessWait(ReadinessCheck("rows") { .notReady("never") })
        await #expect(throws: Interrupted.self) { try await wait.run(patience: .seconds(60), isGivenUp: { true }) { _ in } }
    }

    @Test func `whoever is cancelled waits no longer`() async throws {
        let waiting = Task { try await ReadinessWait(ReadinessCheck("rows") { .notReady("never") }).run(patience: .seconds(60)) { _ in } }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
