import EventLog
import Events
import JSON
import LedgerDomain
import TestSupport
import Testing

@testable import LedgerService

/// Reactions name the events that they react to; a run of them is looked up together.
@Suite struct CausesTests {
    @Test func `a run of reactions finds its causes, wherever they stand, and each that names none is told so`() async throws {
        try await withLedgerDatabase { database in
            let count = 600
            try await database.withLedger { ledger in
                let requests = try (0..<count).map { try Sample.append("c\($0)", "account/\($0 % 50)") }
                for outcome in await ledger.append(all: requests, writer: .billing) { _ = try outcome.get() }
            }
            // After a restart nothing of it is in memory.
            try await database.withLedger { ledger in
                try await eventually { ledger.tail.size == count }
                let events = try await ledger.reader.events(at: (0..<UInt64(count)).shuffled())
                let ids = try Dictionary(uniqueKeysWithValues: events.map { ($0.position, try EventHeader(parsing: $0.bytes).id) })
                #expect(ids.count == count)
                func reaction(_ position: Int, to id: Int, _ number: Int) throws -> AppendRequest {
                    let event = Event(
                        type: "attribution.computed", stream: try #require(StreamName("attribution/\(number)")),
                        time: LedgerClock.frozen.now(), actor: "a", cause: .event(id: try #require(ids[UInt64(id)])), ordinal: 0,
                        correlation: "c", data: [:])
                    return AppendRequest(events: [try event.encoded()], causePosition: UInt64(position))
                }
                var requests = try (0..<count).map { try reaction($0, to: $0, $0) }
                requests[7] = try reaction(8, to: 7, 7)
                requests[9] = try reaction(count + 50, to: 9, 9)
                let outcomes = await ledger.append(all: requests, writer: .attribution)
                for (place, outcome) in outcomes.enumerated() {
                    if place == 7 || place == 9 {
                        guard case .failure(.malformed(field: "/cause_position", reason: _)) = outcome else {
                            Issue.record("\(place): \(outcome)")
                            continue
                        }
                    } else {
                        _ = try outcome.get()
                    }
                }
            }
        }
    }
}
