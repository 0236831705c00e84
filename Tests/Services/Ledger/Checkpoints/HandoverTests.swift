import Crypto
import EventLog
import Events
import HTTPClient
import JSON
import LedgerDomain
import Postgres
import Telemetry
import TestSupport
import Testing

@testable import LedgerService

/// What happens between one leader and the next, and between one key and the next.
@Suite struct HandoverTests {
    private func latest(_ ledger: Ledger, reaches size: UInt64) async throws -> SignedCheckpoint {
        try await eventually("a checkpoint of \(size)") { (ledger.checkpointer.latest?.checkpoint.size ?? 0) >= size }
        return try #require(ledger.checkpointer.latest)
    }

    @Test func `the second ledger reads and refuses, and goes on where the first stopped`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger(try database.settings("first")) { first in
                _ = try await first.append(try Sample.append("c1"), writer: .billing)
                let before = try await latest(first, reaches: 1)
                try await database.withLedger(try database.settings("second"), awaitLead: false) { second in
                    try await eventually { second.tail.size == 1 && second.checkpointer.latest != nil && second.notReady == nil }
                    #expect(!second.isLeading && first.isLeading)
                    #expect(second.checkpointer.latest == before)
                    #expect(try await second.client(for: .billing).read(from: 0, limit: 10, wait: nil).events.count == 1)
                    // Also for a reaction to what it has not seen yet: who does not lead can't say that it is not there.
                    for request in [try Sample.append("c2"), try reaction(to: 99)] {
                        let error = await #expect(throws: LogError.self) {
                            try await second.append(request, writer: request.causePosition == nil ? .billing : .attribution)
                        }
                        guard case .notLeader? = error else { throw error ?? .busy }
                    }
                    let waiting = Task { try await second.client(for: .billing).read(from: 1, limit: 10, wait: .seconds(30)).events.count }
                    _ = try await first.append(try Sample.append("c2"), writer: .billing)
                    #expect(try await waiting.value == 1, "a reader of the second follows the first's commits")
                }
            }
        }
    }

    private func reaction(to position: UInt64) throws -> AppendRequest {
        let event = Event(
            type: "attribution.computed", stream: try #require(StreamName("attribution/1")), time: LedgerClock.frozen.now(), actor: "a",
            cause: .event(id: EventID(cause: "x", type: "y", ordinal: 0)), ordinal: 0, correlation: "c", data: [:])
        return AppendRequest(events: [try event.encoded()], causePosition: position)
    }

    @Test func `a waiting ledger leads when the first is gone, and its checkpoints continue the first's`() async throws {
        try await withLedgerDatabase { database in
            let first = try await Running(database, "first")
            try await eventually { first.ledger.isLeading }
            _ = try await first.ledger.append(try Sample.append("c1"), writer: .billing)
            let before = try await latest(first.ledger, reaches: 1)
            let second = try await Running(database, "second")
            try await eventually { second.ledger.checkpointer.latest != nil }
            await first.stop()
            try await eventually { second.ledger.isLeading }
            #expect(try await second.ledger.append(try Sample.append("c2"), writer: .billing).position == 1)
            let after = try await latest(second.ledger, reaches: 2)
            var tree = TileTree(source: second.ledger.reader, size: after.checkpoint.size)
            try await tree.consistencyProof(from: before.checkpoint.size).verify(
                oldRoot: before.checkpoint.root, newRoot: after.checkpoint.root)
            let terms = try await database.database.sql("select holder from ledger.terms order by term")
            #expect(terms.split(separator: "\n") == ["first", "second"])
            await second.stop()
        }
    }

    @Test func `a leader whose number was taken looks and goes on`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                _ = try await latest(ledger, reaches: 1)
                // As if the leader before had signed once more after this one had looked.
                try await database.database.sql(
                    "insert into ledger.checkpoints (number, size, note) select max(number) + 1, max(size), max(note) from ledger.checkpoints"
                )
                _ = try await ledger.append(try Sample.append("c2"), writer: .billing)
                _ = try await latest(ledger, reaches: 2)
            }
        }
    }

    @Test func `after a rotation both keys sign, the log says so once, and the old key can go`() async throws {
        try await withLedgerDatabase { database in
            let next = try Ed25519PrivateKey.generate()
            let old = try #require(VerifierKey(name: "test.example/log", publicKey: database.key.publicKey.rawBytes))
            let new = try #require(VerifierKey(name: "test.example/log", publicKey: next.publicKey.rawBytes))
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                _ = try await latest(ledger, reaches: 1)
            }
            var settings = try database.settings()
            settings.keys = [next, database.key]
            for _ in 0..<2 {
                try await database.withLedger(settings) { ledger in
                    let signed = try await latest(ledger, reaches: 2)
                    try await eventually { ledger.tail.size == 2 }
                    #expect(signed.note.signatures.count == 2)
                    for keys in [[old], [new], [old, new]] { _ = try SignedCheckpoint(parsing: signed.note.encoded, keys: keys) }
                }
            }
            settings.keys = [next]
            try await database.withLedger(settings) { ledger in
                let event = try #require(try await ledger.reader.event(at: 1))
                let header = try EventHeader(parsing: event.bytes)
                #expect(header.type == "log-key.rotated" && header.stream.text == KeyRotation.stream)
                let rotation = KeyRotation.verify(try JSON.parse(Array(event.bytes[header.data])), origin: "test.example/log")
                #expect(rotation?.previous == old && rotation?.next == new)
                _ = try await ledger.append(try Sample.append("c2"), writer: .billing)
                let signed = try await latest(ledger, reaches: 3)
                _ = try SignedCheckpoint(parsing: signed.note.encoded, keys: [new])
                #expect(throws: NoteError.self) { try SignedCheckpoint(parsing: signed.note.encoded, keys: [old]) }
            }
        }
    }

    @Test func `two rotations between two starts are both on the log, each by the key before`() async throws {
        try await withLedgerDatabase { database in
            let keys = [try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate(), database.key]
            let names = try keys.map { try #require(VerifierKey(name: "test.example/log", publicKey: $0.publicKey.rawBytes)) }
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                _ = try await latest(ledger, reaches: 1)
            }
            var settings = try database.settings()
            settings.keys = keys
            try await database.withLedger(settings) { ledger in
                try await eventually { ledger.tail.size == 3 }
                let stream = try #require(StreamName(KeyRotation.stream))
                let events = try await ledger.reader.read(stream: stream, from: 0, limit: 10)
                // As the audit judges them: each is the word of the newest key so far.
                let words = try events.map { event in
                    try #require(
                        KeyRotation.verify(
                            try JSON.parse(Array(event.bytes[try EventHeader(parsing: event.bytes).data])), origin: "test.example/log"))
                }
                #expect(words.map(\.previous) == [names[2], names[1]] && words.map(\.next) == [names[1], names[0]])
            }
            // One more rotation, with one of the keys in the middle gone: the log's newest key is the one to go on from.
            let fourth = try Ed25519PrivateKey.generate()
            settings.keys = [fourth, keys[0], database.key]
            try await database.withLedger(settings) { ledger in
                try await eventually { ledger.tail.size == 4 }
                let event = try #require(try await ledger.reader.event(at: 3))
                let word = KeyRotation.verify(
                    try JSON.parse(Array(event.bytes[try EventHeader(parsing: event.bytes).data])), origin: "test.example/log")
                #expect(word?.previous == names[0] && word?.next.publicKey == fourth.publicKey.rawBytes)
            }
        }
    }

    @Test func `a ledger whose keys never signed this log does not start`() async throws {
        try await withLedgerDatabase { database in
            try await database.withLedger { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                _ = try await latest(ledger, reaches: 1)
            }
            var settings = try database.settings()
            settings.keys = [try .generate()]
            let stranger = settings
            let error = await #expect(throws: UnknownLogKey.self) { try await database.withLedger(stranger) { _ in } }
            #expect(error?.description.contains("OPENLEDGER_LOG_OLD_KEY_FILES") == true)
        }
    }

    @Test func `a log keeps its first name, and never gets one that can't be`() async throws {
        try await withLedgerDatabase { database in
            var settings = try database.settings()
            for name in ["", "my log", "a+b", "a\nb", "a\tb", "a\u{A0}b", String(repeating: "x", count: 201)] {
                settings.origin = name
                let bad = settings
                await #expect(throws: NoteError.self, "\(name)") { try await database.withLedger(bad) { _ in } }
            }
            settings.origin = "first.example/log"
            try await database.withLedger(settings) { #expect($0.keys.origin == "first.example/log") }
            settings.origin = "second.example/log"
            try await database.withLedger(settings) { #expect($0.keys.origin == "first.example/log") }
            settings.keys = []
            let keyless = settings
            await #expect(throws: NoteError.self) { try await database.withLedger(keyless) { _ in } }
        }
    }

    @Test func `a database without a log says what to do`() async throws {
        try await withDatabase { database in
            let settings = LedgerSettings(
                database: try PostgresConfiguration(url: database.url), origin: "a.example/log", keys: [try .generate()], instance: "test")
            let error = await #expect(throws: LogError.self) {
                try await Ledger.make(settings, transport: try CurlTransport(), logger: .silent, metrics: Metrics())
            }
            #expect(error?.description.contains("openledger migrate") == true)
        }
    }

    /// A ledger that runs until it is stopped.
    private struct Running {
        let ledger: Ledger
        private let task: Task<Void, Never>

        init(_ database: LedgerDatabase, _ name: String) async throws {
            let ledger = try await Ledger.make(
                try database.settings(name), transport: try CurlTransport(), logger: .silent, metrics: Metrics(), clock: .frozen)
            self.ledger = ledger
            task = Task { await ledger.run() }
        }

        func stop() async {
            task.cancel()
            await task.value
        }
    }
}
