import EventLog
import Events
import LedgerService
import Projections
import TestSupport
import Testing

@Suite struct CarriedLogTests {
    /// Follows a log to a position as a service does, and keeps all that came.
    private func follow(_ log: some LogClient, from first: UInt64, to end: UInt64, limit: Int) async throws -> [LoggedEvent] {
        var events: [LoggedEvent] = []
        while first + UInt64(events.count) < end {
            do {
                let batch = try await log.read(from: first + UInt64(events.count), limit: limit, wait: .seconds(1))
                #expect(batch.events.count <= limit)
                events += batch.events
            } catch is UnreliableCarrier.Tired {}
        }
        return events
    }

    @Test func `followers at several places get every event once and in order, whatever the carrier does`() async throws {
        let seed = Seed.generator().seed
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("carried-\(seed)", client)
                let before = try await deposits.append(random: 200)
                let carrier = UnreliableCarrier(client, seed: seed)
                let log = CarriedLog(client, carrier: carrier)
                async let appended = {
                    var end = before
                    for _ in 0..<20 { end = try await deposits.append(random: 20) }
                    return end
                }()
                let wanted = before + 400
                async let late = follow(log, from: 0, to: wanted, limit: 7)
                async let middle = follow(log, from: 150, to: wanted, limit: 1_000)
                async let early = follow(log, from: before, to: wanted, limit: 64)
                let followed = try await [late, middle, early]
                #expect(try await appended >= wanted)
                let whole = try await wholeLog(client)
                for (events, first) in zip(followed, [0, 150, Int(before)]) {
                    #expect(events.first?.position == UInt64(first), "seed \(seed)")
                    #expect(Array(events.prefix(Int(wanted) - first)) == Array(whole[first..<Int(wanted)]), "seed \(seed)")
                }
                await log.close()
                #expect(await carrier.isClosed)
            }
        }
    }

    @Test func `who follows at the end asks the ledger for nothing`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("carried-end", client)
                let start = try await deposits.append(random: 10)
                let counted = CountingClient(client)
                let log = CarriedLog(counted, carrier: LedgerCarrier(client))
                async let first = follow(log, from: start, to: start + 50, limit: 100)
                async let second = follow(log, from: start, to: start + 50, limit: 100)
                _ = try await deposits.append(random: 50)
                #expect(try await first.prefix(50) == second.prefix(50))
                #expect(await counted.eventsRead == 0)
                // What is not waited for is the ledger's own word.
                #expect(try await log.read(from: 0, limit: 5, wait: nil).events.count == 5)
                #expect(await counted.eventsRead == 5)
                await log.close()
            }
        }
    }

    @Test func `who waits for what another one is past already finds it at the ledger`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("carried-skipped", client)
                let start = try await deposits.append(random: 5)
                let log = CarriedLog(client, carrier: SilentCarrier())
                async let behind = log.read(from: start, limit: 100, wait: .seconds(600))
                let end = try await deposits.append(random: 20)
                // Told of by the ledger, it waits where the carrier has not come yet; once the other one waits as well.
                let ahead = Task {
                    while !Task.isCancelled { _ = try await log.read(from: end, limit: 100, wait: .milliseconds(20)) }
                }
                #expect(try await behind.events.first?.position == start)
                ahead.cancel()
                await log.close()
            }
        }
    }

    @Test func `a wait ends when nothing comes, when it is cancelled, and when the log is closed`() async throws {
        let log = CarriedLog(NoLog(), carrier: SilentCarrier())
        #expect(try await log.read(from: 7, limit: 10, wait: .milliseconds(10)).events.isEmpty)
        let cancelled = Task { try await log.read(from: 7, limit: 10, wait: .seconds(600)) }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let waiting = Task { try await log.read(from: 7, limit: 10, wait: .seconds(600)) }
        await log.close()
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}

/// Brings nothing, until it is cancelled.
private struct SilentCarrier: EventCarrier {
    func deliver(from next: UInt64, limit: Int, wait: Duration) async throws -> LogBatch {
        try await Task.sleep(for: wait)
        return LogBatch(events: [], size: next)
    }
    func close() async {}
}
