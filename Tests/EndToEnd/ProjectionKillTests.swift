import EventLog
import Events
import Glibc
import HTTPClient
import Identity
import JSON
import Postgres
import PrivatePostgres
import Projections
import TestSupport
import Testing

extension Survival {
    @Suite("A killed projecting service")
    struct ProjectionKillTests {
        @Test(
            "kill -9 before, within and after its transactions: its rows are the fold of the log, and equal a rebuild"
        )
        func killedUnderLoad() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let owner = try PostgresConfiguration(url: house.cluster.url())
                try await Roles(owner).ensure([Roles.Login(service: "billing", password: nil)])
                let table = PositionTable.sql(schema: "billing", role: "openledger_billing")
                try await house.withOwner { owner in
                    _ = try await owner.executeScript(
                        "drop schema if exists billing cascade; create schema billing; grant usage on schema billing to openledger_billing")
                    _ = try await owner.executeScript(table + ";" + Tally.sql)
                }
                let database = house.cluster.url(user: "openledger_billing")
                let token = try house.signer(.billing).mint(subject: "billing", audience: "ledger", kind: .service, lifetime: 600)
                let url = ledger.url
                let load = Load("tally", at: ledger)
                for (round, moment) in [Tally.Moment.before, .within, .after, .within, .before].enumerated() {
                    try await load.advance(by: 60)
                    let size = try await ledger.status().size
                    let from = try await Self.next(house)
                    // Somewhere between where it stands and the end of the log.
                    let victim = from + (size - from) * UInt64(round % 3 + 1) / 4
                    await #expect(processExitsWith: .signal(SIGKILL)) {
                        [
                            database = database as String, token = token as String, url = url as String, victim = victim as UInt64,
                            moment = moment as Tally.Moment
                        ] in
                        let tally = Tally(dies: moment, at: victim)
                        let client = HTTPLogClient(transport: try CurlTransport(), base: url + "/log") { token }
                        var options = ProjectionOptions()
                        options.batch = 25
                        let runner = try ProjectionRunner(
                            tally, carrier: LedgerCarrier(client), client: client, database: try PostgresConfiguration(url: database),
                            options: options)
                        await runner.run()
                    }
                    let reached = try await Self.next(house)
                    #expect(
                        reached >= from && (reached > victim) == (moment == .after),
                        "round \(round): from \(from) to \(reached), died at \(victim)")
                }
                try await load.finish()
                let check = try await LogCheck(ledger)
                check.expect(load)

                // The last one lives, and goes on from where the others left.
                let client = ledger.client()
                let runner = try ProjectionRunner(
                    Tally(), carrier: LedgerCarrier(client), client: client, database: try PostgresConfiguration(url: database))
                let running = Task { await runner.run() }
                try await runner.waitUntilApplied(UInt64(check.events.count - 1), timeout: .seconds(30))
                let found = try await house.withOwner { owner in
                    try await owner.execute("select stream, count, chain, last from billing.tally order by stream collate \"C\"").map {
                        "\(try $0.text(0)) \(try $0.int(1)) \(try $0.int(2)) \(try $0.int(3))"
                    }
                }
                #expect(found == Tally.fold(check))
                let report = try await ProjectionRebuild(Tally(), client: client, database: owner).run(.compare)
                #expect(report.differences.values.allSatisfy { $0 == 0 }, "\(report)")
                #expect(report.next == UInt64(check.events.count))
                running.cancel()
                await running.value
                await ledger.child.stop()
            }
        }

        private static func next(_ house: House) async throws -> UInt64 {
            try await house.withOwner { owner in
                UInt64(try await owner.execute("select next from billing.projection_positions").first?.int(0) ?? 0)
            }
        }
    }
}

/// How many events each stream has, and a chain that depends on their order: a repeated, missing or swapped event shows. It
/// kills its own process where it is told to.
struct Tally: Projection {
    enum Moment: String, Sendable, Codable { case before, within, after }

    static let sql = """
        create table billing.tally (
            stream text not null, count bigint not null, chain bigint not null, last bigint not null,
            constraint tally_stream primary key (stream)
        );
        grant select, insert, update, delete on billing.tally to openledger_billing
        """

    let name = "tally"
    let schema = "billing"
    let version = 1
    let tables = ["tally"]
    var dies: Moment?
    var at: UInt64 = 0

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        let isDue = events.contains { $0.position == at }
        if dies == .before, isDue { Self.die() }
        // The batch that the victim was in is committed by now.
        if dies == .after, let first = events.first, first.position > at { Self.die() }
        let count = Statement(
            """
            insert into \(tables["tally"]) as t (stream, count, chain, last) values ($1, 1, $2, $2)
            on conflict (stream) do update set count = t.count + 1, chain = (t.chain * 31 + $2) % 1000003, last = $2
            """)
        _ = try session.pipeline(events.map { (count, [.text($0.header.stream.text), .int(Int64($0.position))]) })
        if dies == .within, isDue { Self.die() }
    }

    private static func die() -> Never {
        kill(getpid(), SIGKILL)
        while true { pause() }
    }

    /// The same fold in Swift.
    static func fold(_ check: LogCheck) -> [String] {
        var rows: [String: (count: Int, chain: Int, last: Int)] = [:]
        for (position, header) in check.headers.enumerated() {
            let old = rows[header.stream.text]
            rows[header.stream.text] = ((old?.count ?? 0) + 1, old.map { ($0.chain * 31 + position) % 1_000_003 } ?? position, position)
        }
        return rows.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { "\($0) \($1.count) \($1.chain) \($1.last)" }
    }
}
