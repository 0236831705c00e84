import EventLog
import Events
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("A killed ledger")
    struct LedgerKillTests {
        @Test("kill -9 under load, again and again: what was acknowledged is there once, where it was said; the tree holds")
        func killedUnderLoad() async throws {
            try await House.with { house in
                var ledger = try await house.startLedger()
                let load = Load("kill", at: ledger)
                for _ in 0..<4 {
                    try await load.advance(by: 150)
                    ledger = try await ledger.killAndRestart()
                }
                try await load.advance(by: 150)
                try await load.finish()
                #expect(load.repeated > 0, "the kills hit commands on their way: \(load.failures)")
                let check = try await LogCheck(ledger)
                check.expect(load)
                try await check.expectTree(ledger)
                let terms = try await LogCheck.expectTerms(house)
                #expect(terms.count >= 5)
                await ledger.child.stop()
            }
        }

        @Test("Killed while a commit is under way: the commit stands, and the same command gets its first answer")
        func killedInCommit() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                // One event and several: the writer has a statement for each, and prepares it on first use.
                _ = try await ledger.client().append(try Sample.append("before"))
                let first = try await ledger.client().append(try Sample.append("before-too", ["account/a", "account/b"]))
                let requests = try (0..<20).map { try Sample.append("hanging-\($0)", ["account/\($0)", "hold/\($0)"]) }
                let restarting = try await house.holdingCommits {
                    let hanging = requests.map { request in Task { try await ledger.client().append(request) } }
                    try await eventually("the writer to wait for the lock") { try await house.waitingWriters() == 1 }
                    await ledger.child.kill()
                    for task in hanging { _ = await #expect(throws: (any Error).self) { try await task.value } }
                    let restarting = Task { try await ledger.startedAgain() }
                    // The next one can't lead before the killed one's commit is through.
                    try await eventually("the next ledger to queue") { try await house.waitingWriters() == 2 }
                    return restarting
                }
                let restarted = try await restarting.value
                try await eventually("the next ledger to lead") { await restarted.isLeading() }
                let client = restarted.client()
                let committed = try await restarted.status().size
                // Those that were in the batch on its way to disk are stored, without anybody having been told.
                #expect(committed > first.end)
                var answers: [String: Appended] = [:]
                for (index, request) in requests.enumerated() { answers["hanging-\(index)"] = try await client.append(request) }
                let check = try await LogCheck(restarted)
                #expect(check.events.count == 3 + 40)
                for (command, appended) in answers { #expect(check.positions[command] == [appended.position, appended.position + 1]) }
                // Once more, long after and with a later time: the same answer.
                let again = try await client.append(try Sample.append("hanging-0", ["account/0", "hold/0"]))
                #expect(again == answers["hanging-0"])
                try await check.expectTree(restarted)
                await restarted.child.stop()
            }
        }

        @Test("A retry of the very same bytes gets the first answer, however late it comes")
        func lateRetry() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let request = try Sample.append("late", time: Timestamp(microseconds: Sample.now.microseconds - 4_000_000))
                let first = try await ledger.client().append(request)
                let other = try Sample.append("later", time: Timestamp(microseconds: Sample.now.microseconds - 6_000_000))
                // Until the ledger's clock has left the event's time behind.
                let stated = try EventHeader(parsing: request.events[0]).time
                try await eventually { Sample.now.microseconds - 6_000_000 > stated.microseconds }
                #expect(try await ledger.client().append(request) == first)
                await #expect(throws: LogError.self) { try await ledger.client().append(other) }
                let restarted = try await ledger.killAndRestart()
                #expect(try await restarted.client().append(request) == first)
                #expect(try await restarted.status().size == 1)
                await restarted.child.stop()
            }
        }
    }
}
