import Crypto
import EventLog
import Events
import JSON
import LedgerService
import Postgres
import TestSupport
import Testing

@Suite struct AppendTests {
    @Test func `positions are dense and versions count within the stream`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                let first = try await ledger.append(try Sample.append("c1", "account/a", "account/b", "account/a"), writer: .billing)
                #expect(first.position == 0)
                #expect(first.entries.map(\.version) == [0, 0, 1])
                let second = try await ledger.append(try Sample.append("c2", "account/b"), writer: .billing)
                #expect(second.position == 3)
                #expect(second.entries.map(\.version) == [1])
                let log = try await ledger.client(for: .billing).read(from: 0, limit: 10, wait: nil)
                #expect(log.size == 4)
                #expect(log.events.map(\.position) == [0, 1, 2, 3])
                let stream = try await ledger.client(for: .billing).read(stream: try #require(StreamName("account/a")), from: 0, limit: 10)
                #expect(stream.map(\.position) == [0, 2])
                #expect(stream.map(\.version) == [0, 1])
            }
        }
    }

    @Test func `an expected version holds or the append is refused whole`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                func append(_ id: String, _ expected: ExpectedVersion) async throws -> Appended {
                    try await ledger.append(
                        try Sample.append(id, "account/a", "account/b", expected: ["account/a": expected]), writer: .billing)
                }
                _ = try await append("c1", .none)
                await #expect(throws: LogError.wrongVersion(stream: try #require(StreamName("account/a")), expected: .none, actual: 1)) {
                    try await append("c2", .none)
                }
                await #expect(throws: LogError.wrongVersion(stream: try #require(StreamName("account/a")), expected: .exact(2), actual: 1))
                {
                    try await append("c3", .exact(2))
                }
                _ = try await append("c4", .exact(1))
                _ = try await append("c5", .any)
                #expect(ledger.tail.size == 6)
            }
        }
    }

    @Test func `the same command has the first answer for ever, another body is a conflict that names the difference`() async throws {
        try await withLedgerDatabase { database in
            let digest = SHA256.hash(utf8: "d")
            let request = AppendRequest(
                events: try Sample.command("pay-1", streams: ["account/a", "account/b"], digest: digest, data: ["amount": "10"]))
            let first = try await database.withLedger { try await $0.append(request, writer: .billing) }
            // A new process knows nothing but the log.
            try await database.withLedger { ledger in
                #expect(try await ledger.append(request, writer: .billing) == first)
                #expect(try await ledger.append(request, writer: .billing) == first)
                let later = AppendRequest(
                    events: try Sample.command("pay-1", streams: ["account/a", "account/b"], digest: digest, data: ["amount": "10"]))
                #expect(try await ledger.append(later, writer: .billing) == first, "time is no part of the body")
                let other = AppendRequest(
                    events: try Sample.command(
                        "pay-1", streams: ["account/a", "account/c"], digest: SHA256.hash(utf8: "e"), data: ["amount": "11"]))
                do {
                    _ = try await ledger.append(other, writer: .billing)
                    Issue.record("a reused command id with another body was taken")
                } catch LogError.conflict(let conflict) {
                    #expect(conflict.command == "pay-1")
                    #expect(conflict.position == 0)
                    #expect(conflict.firstDigest == digest)
                    #expect(conflict.differences == ["/0/data/amount", "/1/data/amount", "/1/stream"])
                }
                #expect(ledger.tail.size == 2)
                // The same id from another service is another command.
                let foreign = try Event(
                    type: "job.requested", stream: try #require(StreamName("job/1")), time: LedgerClock.frozen.now(), actor: "t",
                    cause: .command(id: "pay-1", digest: digest), ordinal: 0, correlation: "c", data: [:]
                ).encoded()
                #expect(try await ledger.append(AppendRequest(events: [foreign]), writer: .training).position == 2)
            }
        }
    }

    @Test func `many callers at once: every answer is true and the order has no hole`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                let count = 2_000
                let answers = try await withThrowingTaskGroup(of: (String, Appended).self) { group in
                    for index in 0..<count {
                        group.addTask {
                            let stream = "account/\(index % 17)"
                            return (
                                stream,
                                try await ledger.append(try Sample.append("c\(index % (count / 2))-\(stream)", stream), writer: .billing)
                            )
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                let log = try await readAll(ledger)
                #expect(log.map(\.position) == Array(0..<UInt64(log.count)))
                #expect(UInt64(log.count) == ledger.tail.size)
                var versions: [String: UInt64] = [:]
                for event in log {
                    let header = try EventHeader(parsing: event.bytes)
                    #expect(event.version == versions[header.stream.text, default: 0])
                    versions[header.stream.text, default: 0] += 1
                }
                for (stream, answer) in answers {
                    let event = log[Int(answer.position)]
                    #expect(try EventHeader(parsing: event.bytes).stream.text == stream)
                    #expect(event.version == answer.entries[0].version)
                }
                #expect(Set(answers.map(\.1.position)).count == log.count)
            }
        }
    }

    @Test func `a new leader's tree is the old one's, and the tiles hold every leaf`() async throws {
        try await withLedgerDatabase { database in
            var leaves: [Digest] = []
            for round in 0..<3 {
                let events = try await database.withLedger { ledger in
                    for batch in 0..<4 {
                        let events = try Sample.command("r\(round)-\(batch)", streams: (0..<173).map { "account/\($0)" })
                        _ = try await ledger.append(AppendRequest(events: events), writer: .billing)
                    }
                    let size = ledger.tail.size
                    try await eventually { try await checkpoint(ledger, database)?.size == size }
                    return try await readAll(ledger)
                }
                leaves = events.map { Merkle.leaf($0.bytes) }
                let stored = try await PostgresConnection.connect(try database.owner)
                let note = try await stored.execute("select note from ledger.checkpoints order by number desc limit 1").one().text(0)
                let rows = try await stored.execute("select leaf from ledger.events order by position")
                let tiles = try await stored.execute("select level, index, hashes from ledger.tiles order by level, index")
                await stored.close()
                #expect(try rows.map { try $0.bytes(0) } == leaves.map(\.bytes))
                #expect(try SignedCheckpoint(unverified: note).checkpoint.root == Merkle.root(of: leaves))
                #expect(tiles.count == leaves.count / 256)
                for (index, row) in tiles.enumerated() {
                    #expect(try row.bytes(2) == leaves[index * 256..<(index + 1) * 256].flatMap(\.bytes))
                }
            }
            #expect(leaves.count == 3 * 4 * 173)
        }
    }

    @Test func `a reaction names the event it reacts to, and happens once`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                let events = try Sample.command("c1")
                _ = try await ledger.append(AppendRequest(events: events), writer: .billing)
                let cause = try EventHeader(parsing: events[0])
                func reaction(to id: EventID, at time: Timestamp, position: UInt64?) throws -> AppendRequest {
                    AppendRequest(
                        events: [
                            try Event(
                                type: "attribution.computed", stream: try #require(StreamName("attribution/1")), time: time,
                                actor: "attribution",
                                cause: .event(id: id), ordinal: 0, correlation: cause.correlation, data: [:]
                            ).encoded()
                        ], causePosition: position)
                }
                let right = try reaction(to: cause.id, at: cause.time, position: 0)
                let answer = try await ledger.append(right, writer: .attribution)
                #expect(try await ledger.append(right, writer: .attribution) == answer)
                await #expect(throws: LogError.self) {
                    try await ledger.append(try reaction(to: cause.id, at: cause.time, position: nil), writer: .attribution)
                }
                await #expect(throws: LogError.self) {
                    try await ledger.append(try reaction(to: cause.id, at: cause.time, position: 1), writer: .attribution)
                }
                await #expect(throws: LogError.self) {
                    try await ledger.append(try reaction(to: cause.id, at: cause.time, position: 99), writer: .attribution)
                }
                let late = Timestamp(microseconds: cause.time.microseconds + 1)
                await #expect(throws: LogError.self) {
                    try await ledger.append(try reaction(to: cause.id, at: late, position: 0), writer: .attribution)
                }
                #expect(ledger.tail.size == 2)
            }
        }
    }

    private func checkpoint(_ ledger: Ledger, _ database: LedgerDatabase) async throws -> Checkpoint? {
        let connection = try await PostgresConnection.connect(try database.owner)
        let row = try await connection.execute("select note from ledger.checkpoints order by number desc limit 1").first
        await connection.close()
        return try row.map { try SignedCheckpoint(unverified: try $0.text(0)).checkpoint }
    }
}

/// The whole log.
func readAll(_ ledger: Ledger) async throws -> [LoggedEvent] {
    var events: [LoggedEvent] = []
    while true {
        let batch = try await ledger.client(for: .ledger).read(from: UInt64(events.count), limit: 1_000, wait: nil)
        if batch.events.isEmpty { return events }
        events += batch.events
    }
}
