import EventLog
import Events
import LedgerService
import Postgres
import Projections
import Telemetry
import TestSupport
import Testing

@Suite struct RunnerTests {
    @Test func `rows are the fold of the log, and a writer reads what it wrote`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("rows", client)
                try await deposits.append(random: 700)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    for count in 1...20 {
                        let end = try await deposits.append(random: count)
                        try await runner.waitUntilApplied(end - 1, timeout: .seconds(20))
                        #expect(runner.status.next >= end)
                        #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                    }
                    #expect(runner.status.state == .live)
                    #expect(runner.status.notReady == nil)
                    #expect(runner.status.lag == 0)
                }
            }
        }
    }

    @Test func `whoever waits for what is not there yet is told where the rows are`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    let deposits = Deposits("late", client)
                    let end = try await deposits.append([("a", 1)])
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(20))
                    await #expect(throws: ProjectionError.notYetApplied(projection: "billing.balances", position: 1, next: 1)) {
                        try await runner.waitUntilApplied(1, timeout: .milliseconds(10))
                    }
                    let waiting = Task { try await runner.waitUntilApplied(99, timeout: .seconds(60)) }
                    waiting.cancel()
                    await #expect(throws: CancellationError.self) { try await waiting.value }
                }
            }
        }
    }

    @Test func `an event that can't be applied stops the projection loudly; all before it is applied, and after the fix all after it`()
        async throws
    {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("poison", client)
                let first = try await deposits.append((0..<37).map { ("a\($0 % 5)", $0) })
                let poison = try await deposits.append([("bad", 1)]) - 1
                let end = try await deposits.append((0..<21).map { ("a\($0 % 5)", $0) })
                #expect(poison == first)
                let isBroken = Switch(true)
                var balances = Balances()
                balances.after = { events, _ in
                    if isBroken.isOn, events.contains(where: { $0.header.stream.text == "account/bad" }) {
                        throw ProjectionError.cannotApply("account/bad is not understood")
                    }
                }
                let metrics = Metrics()
                try await database.withRunner(balances, LedgerCarrier(client), client, metrics: metrics) { runner in
                    try await eventually("it stops") {
                        runner.status.state == .stopped(position: poison, reason: "account/bad is not understood")
                    }
                    #expect(runner.status.next == poison)
                    #expect(try #require(runner.status.notReady).contains("stopped at position \(poison): account/bad is not understood"))
                    #expect(metrics.render().contains("openledger_projection_stopped{schema=\"billing\",projection=\"balances\"} 1"))
                    #expect(try await database.rows() == Balances.rows(of: Array(try await wholeLog(client).prefix(Int(poison)))))
                    try await runner.waitUntilApplied(poison - 1, timeout: .zero)
                    await #expect(
                        throws: ProjectionError.stopped(
                            projection: "billing.balances", position: poison, reason: "account/bad is not understood")
                    ) {
                        try await runner.waitUntilApplied(end - 1, timeout: .seconds(60))
                    }
                    // Asked to go on before anything is mended it stops again.
                    runner.resume()
                    try await eventually("it tried") { metrics.render().contains("projection=\"balances\"} 1") }
                    isBroken.isOn = false
                    runner.resume()
                    try await eventually("it goes on") { runner.status.next == end }
                    #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                    #expect(runner.status.notReady == nil)
                }
            }
        }
    }

    @Test func `a failed constraint stops at the event that broke it`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("constraint", client)
                try await deposits.append((0..<50).map { ("a\($0 % 3)", $0) })
                try await database.withConnection {
                    _ = try await $0.execute("alter table billing.entries add constraint small check (amount < 41)")
                }
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    try await eventually("it stops") { if case .stopped(41, _) = runner.status.state { true } else { false } }
                    #expect(try #require(runner.status.notReady).contains("constraint small"))
                    try await database.withConnection { _ = try await $0.execute("alter table billing.entries drop constraint small") }
                    runner.resume()
                    try await runner.waitUntilAppliedAfterResume(49)
                    #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                }
            }
        }
    }

    @Test func `a connection that dies between apply and commit costs nothing and doubles nothing`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("dies", client)
                let end = try await deposits.append(random: 300)
                let dies = Switch(true)
                let died = Switch(false)
                var balances = Balances()
                balances.after = { events, session in
                    guard events.contains(where: { $0.position == 150 }), dies.take() else { return }
                    died.isOn = true
                    _ = try session.execute("select pg_terminate_backend(pg_backend_pid())")
                }
                var options = ProjectionOptions.quick
                options.batch = 40
                try await database.withRunner(balances, LedgerCarrier(client), client, options: options) { runner in
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(30))
                    #expect(died.isOn)
                    #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                }
            }
        }
    }

    @Test func `a transaction that collides is tried again, and stops when it always does`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("collides", client)
                let end = try await deposits.append([("a", 1), ("b", 2)])
                let collides = Switch(true)
                let always = Switch(false)
                var balances = Balances()
                balances.before = { _, _ in
                    if always.isOn || collides.take() { throw PostgresError(.serializationFailure, "made up") }
                }
                var options = ProjectionOptions.quick
                options.attempts = 4
                try await database.withRunner(balances, LedgerCarrier(client), client, options: options) { runner in
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(20))
                    #expect(!collides.isOn)
                    always.isOn = true
                    try await deposits.append([("a", 1)])
                    try await eventually("it stops") { if case .stopped(end, _) = runner.status.state { true } else { false } }
                    #expect(try #require(runner.status.notReady).contains("4 times"))
                }
            }
        }
    }

    @Test func `bytes that are not the ledger's are found out before the projection stops for them`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("forged", client)
                let end = try await deposits.append((0..<9).map { ("a\($0)", $0) })
                var log = try await wholeLog(client)
                log[4] = LoggedEvent(position: 4, version: log[4].version, bytes: Array("{}".utf8))
                try await database.withRunner(Balances(), ScriptedCarrier(client, [log]), client) { runner in
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(20))
                    #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                }
            }
        }
    }

    @Test func `what the carrier leaves out is fetched, what it repeats is ignored, and both are counted`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("holes", client)
                let end = try await deposits.append((0..<30).map { ("a\($0 % 4)", $0) })
                let log = try await wholeLog(client)
                let metrics = Metrics()
                let script = [Array(log[5..<8]), Array(log[2..<6]), [log[20], log[29], log[10]]]
                try await database.withRunner(Balances(), ScriptedCarrier(client, script), client, metrics: metrics) { runner in
                    try await runner.waitUntilApplied(end - 1, timeout: .seconds(20))
                    #expect(try await database.rows() == Balances.rows(of: log))
                    let text = metrics.render()
                    #expect(text.contains("openledger_projection_fetched_total{schema=\"billing\",projection=\"balances\"} 24"))
                    #expect(text.contains("openledger_projection_repeats_total{schema=\"billing\",projection=\"balances\"} 4"))
                    #expect(text.contains("openledger_projection_events_total{schema=\"billing\",projection=\"balances\"} 30"))
                }
            }
        }
    }

    @Test func `of two runners one applies and the other takes over when it goes`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("two", client)
                func make() throws -> ProjectionRunner {
                    try ProjectionRunner(
                        Balances(), carrier: LedgerCarrier(client), client: client, database: try database.role("billing"), options: .quick)
                }
                let runners = [try make(), try make()]
                let tasks = runners.map { runner in Task { await runner.run() } }
                try await eventually("one is live, one stands by") { Set(runners.map { "\($0.status.state)" }) == ["live", "standby"] }
                let end = try await deposits.append(random: 400)
                // Both can be read from, whichever applies.
                for runner in runners { try await runner.waitUntilApplied(end - 1, timeout: .seconds(20)) }
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                let first = try #require(runners.firstIndex { $0.status.state == .live })
                tasks[first].cancel()
                await tasks[first].value
                #expect(runners[first].status.state == .idle)
                let after = try await deposits.append(random: 100)
                try await runners[1 - first].waitUntilApplied(after - 1, timeout: .seconds(20))
                #expect(runners[1 - first].status.state != .standby)
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
                tasks[1 - first].cancel()
                await tasks[1 - first].value
            }
        }
    }

    @Test func `rows of another version are left alone`() async throws {
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let deposits = Deposits("version", client)
                let end = try await deposits.append([("a", 1)])
                let newer = Balances(version: 2)
                try await database.withRunner(Balances(), LedgerCarrier(client), client) {
                    try await $0.waitUntilApplied(end - 1, timeout: .seconds(20))
                }
                try await database.withRunner(newer, LedgerCarrier(client), client) { runner in
                    try await eventually("it sees the version") { runner.status.state == .wrongVersion(rows: 1, program: 2) }
                    #expect(try #require(runner.status.notReady).contains("rebuild it"))
                    try await deposits.append([("a", 1)])
                    _ = try await ProjectionRebuild(newer, client: client, database: database.owner).run()
                    try await eventually("it goes on") { runner.status.state == .live && runner.status.next == 2 }
                }
                try await database.withRunner(Balances(), LedgerCarrier(client), client) { runner in
                    try await eventually("it sees the version") { runner.status.state == .wrongVersion(rows: 2, program: 1) }
                    #expect(try #require(runner.status.notReady).contains("use the newer program"))
                }
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)))
            }
        }
    }

    @Test func `names that can't stand in SQL are refused`() async throws {
        struct Odd: Projection {
            var name = "fine"
            var schema = "billing"
            var tables = ["fine"]
            let version = 1
            func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) {}
        }
        try await withProjectionDatabase { database in
            for odd in [
                Odd(name: "Big"), Odd(name: ""), Odd(name: "a-b"), Odd(name: "1a"), Odd(schema: "a\"b"), Odd(tables: ["a;b"]),
                Odd(tables: ["projection_positions"]), Odd(name: String(repeating: "a", count: 25)),
            ] {
                #expect(throws: ProjectionError.self) {
                    _ = try ProjectionRebuild(odd, client: NoLog(), database: database.owner)
                }
            }
            _ = try ProjectionRebuild(Odd(), client: NoLog(), database: database.owner)
        }
    }
}

extension ProjectionRunner {
    /// Waits for rows beyond a stop that is being left.
    func waitUntilAppliedAfterResume(_ position: UInt64) async throws {
        try await eventually("position \(position) is applied") { status.next > position }
    }
}

/// A log that is away.
struct NoLog: LogClient {
    func append(_ request: AppendRequest) async throws -> Appended { throw LogError.unavailable("it is away") }
    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch { throw LogError.unavailable("it is away") }
    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        throw LogError.unavailable("it is away")
    }
}
