import Crypto
import EventLog
import Events
import JSON
import LedgerDomain
import Postgres
import TestSupport
import Testing

@testable import LedgerService

/// The writer alone, batch by batch, over a real database.
@Suite struct LogWriterTests {
    /// Writes batches one after the other; a new state each time is what a new leader has.
    private final class Writing {
        let connection: PostgresConnection
        private(set) var state: WriterState

        init(_ database: LedgerDatabase) async throws {
            connection = try await PostgresConnection.connect(try database.role)
            state = try await Self.lead(connection)
        }

        private static func lead(_ connection: PostgresConnection) async throws -> WriterState {
            let term = try await connection.execute(LogSQL.newTerm, [.text("test")]).one().int(0)
            try await connection.execute(LogSQL.holdTerm, [.text(String(term))])
            var tree = TileBuilder()
            for row in try await connection.execute("select leaf from ledger.events order by position") {
                tree.append(try #require(Digest(try row.bytes(0))))
            }
            _ = tree.takeCompleted()
            return WriterState(tree: tree)
        }

        func restart() async throws { state = try await Self.lead(connection) }

        func write(_ appends: [PreparedAppend]) async throws -> [Result<Appended, LogError>] { try await batch(appends).outcomes }

        func batch(_ appends: [PreparedAppend], isEarly: Bool = false) async throws -> WrittenBatch {
            try await batches([appends], isEarly: isEarly).written[0]
        }

        /// Each batch is drafted, where that can be, while the one before it is being stored.
        func batches(_ batches: [[PreparedAppend]], isEarly: Bool = false) async throws -> (written: [WrittenBatch], drafted: Int) {
            let (before, connection) = (state, connection)
            let (written, drafted, after) = try await connection.withSession { session in
                var state = before
                let writer = LogWriter(session: session)
                var written: [WrittenBatch] = []
                var drafted = 0
                var draft: DraftBatch?
                for (place, appends) in batches.enumerated() {
                    var next: DraftBatch?
                    written.append(
                        try writer.write(appends, draft: draft, isEarly: isEarly, state: &state) { state in
                            guard place + 1 < batches.count else { return }
                            next = writer.draft(batches[place + 1], state: &state)
                        })
                    draft = next
                    drafted += next == nil ? 0 : 1
                }
                return (written, drafted, state)
            }
            state = after
            return (written, drafted)
        }
    }

    private func prepared(_ request: AppendRequest, now: Timestamp? = nil) throws -> PreparedAppend {
        try PreparedAppend(request, writer: .billing, now: now ?? LedgerClock.frozen.now())
    }

    @Test func `nobody writes without the newest term`() async throws {
        try await withLedgerDatabase { database in
            let connection = try await PostgresConnection.connect(try database.role)
            func insert() async throws -> String? {
                do {
                    try await connection.execute(
                        LogSQL.insertOne,
                        [.int(0), .uuid(Array(repeating: 1, count: 16)), .int(0), .null, .bytes([1]), .bytes([1])])
                    return nil
                } catch let error as PostgresError {
                    return error.code.rawValue
                }
            }
            #expect(try await insert() == "23001", "nobody has ever led")
            try await connection.execute(LogSQL.holdTerm, [.text("1")])
            #expect(try await insert() == "23001", "a term that nobody took")
            let first = try await connection.execute(LogSQL.newTerm, [.text("one")]).one().int(0)
            let second = try await connection.execute(LogSQL.newTerm, [.text("two")]).one().int(0)
            try await connection.execute(LogSQL.holdTerm, [.text(String(first))])
            #expect(try await insert() == "23001", "its term has passed")
            try await connection.execute(LogSQL.holdTerm, [.text("")])
            #expect(try await insert() == "23001", "it names none")
            try await connection.execute(LogSQL.holdTerm, [.text(String(second))])
            #expect(try await insert() == nil)
            await connection.close()
        }
    }

    @Test func `a batch says whether its commit has waited for the disk`() async throws {
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            func events(_ command: String, _ count: Int) throws -> PreparedAppend {
                try prepared(
                    AppendRequest(events: try Sample.command(command, streams: (0..<count).map { "account/\(command)-\($0)" })))
            }
            #expect(try await writing.batch([try events("one", 1)]).isOnDisk)
            #expect(try await writing.batch([try events("few", LogWriter.copyFrom - 1)]).isOnDisk)
            #expect(try await !writing.batch([try events("many", LogWriter.copyFrom)]).isOnDisk)
            // Nothing to store, nothing to wait for.
            #expect(try await writing.batch([try events("many", LogWriter.copyFrom)]).isOnDisk)
            // One that is behind others is answered for after them, whatever its size; but not before its own commit where there is none.
            for (name, count) in [("early", 1), ("earlier", 5)] {
                let written = try await writing.batch([try events(name, count)], isEarly: true)
                #expect(!written.isOnDisk && written.events.count == count && written.size == written.events[count - 1].position + 1)
                #expect(try await writing.batch([try events(name, count)], isEarly: true).isOnDisk)
            }
            let rows = try await writing.connection.execute("select position, bytes from ledger.events order by position")
            #expect(rows.count == LogWriter.copyFrom * 2 + 6)
            #expect(writing.state.tree.root == Merkle.root(of: try rows.map { Merkle.leaf(try $0.bytes(1)) }))
            // The setting of one commit is not that of the next.
            #expect(try await writing.connection.execute("show synchronous_commit").one().text(0) == "on")
            await writing.connection.close()
        }
    }

    @Test func `a condition on a stream that the append does not write is looked up, not guessed`() async throws {
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            _ = try await writing.write([try prepared(try Sample.append("c1", "account/a"))])
            try await writing.restart()
            for expected in [ExpectedVersion.none, .exact(0)] {
                let outcome = try await writing.write([
                    try prepared(try Sample.append("c2", "account/b", expected: ["account/a": expected]))
                ])
                #expect(outcome == [.failure(.wrongVersion(stream: try #require(StreamName("account/a")), expected: expected, actual: 1))])
            }
            await writing.connection.close()
        }
    }

    @Test func `a guess that nothing proved is not held against the next append`() async throws {
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            _ = try await writing.write([try prepared(try Sample.append("c1", "account/a"))])
            try await writing.restart()
            let outcomes = try await writing.write([
                // Refused for b, so nothing shows whether its word about a was true.
                try prepared(try Sample.append("c2", "account/a", expected: ["account/a": .none, "account/b": .exact(9)])),
                try prepared(try Sample.append("c3", "account/a", expected: ["account/a": .exact(1)])),
            ])
            #expect(throws: LogError.self) { try outcomes[0].get() }
            #expect(try outcomes[1].get().entries.map(\.version) == [1])
            await writing.connection.close()
        }
    }

    @Test func `a repeat has the first answer although its expected version has passed`() async throws {
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            let request = try Sample.append("c1", "account/a", expected: ["account/a": .none])
            let first = try await writing.write([try prepared(request)])
            #expect(try first[0].get().position == 0)
            #expect(try await writing.write([try prepared(request)]) == first)
            try await writing.restart()
            #expect(try await writing.write([try prepared(request)]) == first)
            await writing.connection.close()
        }
    }

    @Test func `a repeat has the first answer however late it comes, a new command does not`() async throws {
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            let request = try Sample.append("c1", "account/a")
            let first = try await writing.write([try prepared(request)])
            let later = Timestamp(microseconds: LedgerClock.frozen.now().microseconds + 3_600_000_000)
            #expect(try await writing.write([try prepared(request, now: later)]) == first)
            let outcome = try await writing.write([try prepared(try Sample.append("c2", "account/a"), now: later)])
            guard case .failure(.invalid(0, let fault)) = outcome[0] else {
                Issue.record("an old event was taken: \(outcome)")
                return
            }
            #expect(fault.kind == .wrongTime)
            await writing.connection.close()
        }
    }

    @Test func `a batch drafted on one that has a surprise is decided again`() async throws {
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            func many(_ prefix: String, _ count: Int) throws -> [PreparedAppend] {
                try (0..<count).map {
                    let stream = "account/\(prefix)-\($0)"
                    return try prepared(try Sample.append("\(prefix)-\($0)", stream, expected: [stream: .none]))
                }
            }
            let first = try await writing.write(try many("a", 3))
            try await writing.restart()
            // Its repeats are met only by the unique index, when the next batch has been drafted above them.
            let (written, drafted) = try await writing.batches([
                try many("a", 3) + many("b", 60), try many("c", 60) + many("b", 2), try many("d", 1),
            ])
            #expect(drafted == 1)
            #expect(Array(written[0].outcomes.prefix(3)) == first)
            #expect(try written[0].outcomes.dropFirst(3).map { try $0.get().position } == (3..<63).map(UInt64.init))
            #expect(try written[1].outcomes.prefix(60).map { try $0.get().position } == (63..<123).map(UInt64.init))
            #expect(Array(written[1].outcomes.suffix(2)) == Array(written[0].outcomes[3..<5]))
            #expect(try written[2].outcomes[0].get().position == 123)
            await writing.connection.close()
        }
    }

    @Test func `batches of generated appends, with new leaders in between, do what the naive log does`() async throws {
        var generator = AppendGenerator(Seed.generator())
        var random = generator.random
        let seed = random.seed
        try await withLedgerDatabase { database in
            let writing = try await Writing(database)
            var naive = NaiveLog()
            var taken = 0
            var drafted = 0
            for round in 0..<120 {
                let inRow = random.chance(0.2) ? 4 : 1
                if random.chance(inRow == 1 ? 0.2 : 0.6) { try await writing.restart() }
                generator.isCalm = inRow > 1 && random.chance(0.8)
                let batches = try (0..<inRow).map { _ in
                    // Few of those that a generator makes are taken: these are enough for a COPY now and then.
                    let count = random.chance(inRow == 1 ? 0.1 : 0.7) ? 150 : Int.random(in: 1...8, using: &random)
                    return try (0..<count).map { _ in try generator.next() }
                }
                let wanted = batches.map { $0.map { naive.append($0) } }
                let got = try await writing.batches(batches)
                taken += wanted.joined().count { (try? $0.get()) != nil }
                drafted += got.drafted
                try #require(got.written.map(\.outcomes) == wanted, "seed \(seed), round \(round)")
            }
            #expect(drafted > 0, "seed \(seed): none was drafted while another was being stored")
            let rows = try await writing.connection.execute(LogSQL.range, [.int(0), .int(.max)])
            #expect(try rows.map { try LoggedEvent(row: $0) } == naive.events, "seed \(seed)")
            #expect(taken > 100 && naive.events.count > 100)
            await writing.connection.close()
        }
    }
}
