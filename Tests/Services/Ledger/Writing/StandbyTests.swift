import Crypto
import EventLog
import Events
import HTTPClient
import LedgerService
import Postgres
import PrivatePostgres
import Synchronization
import Telemetry
import TestSupport
import Testing
import Threads

/// An append that the server has to itself, since somebody cancelled the wait for its standby, is not done.
@Suite struct StandbyTests {
    /// Which commands were answered for, and what the first one that was not was told.
    private struct Said {
        var answered: [String: UInt64] = [:]
        var refused: (command: String, error: LogError)?
    }

    /// Appends one after the other until one is refused.
    private final class Caller: Sendable {
        let said = Lock(Said())

        func run(_ ledger: Ledger) async throws {
            for number in 0..<1_000_000 {
                let command = "c\(number)"
                let request = try Sample.append(command)
                do throws(LogError) {
                    let answer = try await ledger.append(request, writer: .billing)
                    said.withLock { $0.answered[command] = answer.position }
                } catch {
                    return said.withLock { $0.refused = (command, error) }
                }
            }
        }
    }

    @Test func `a commit whose wait for the standby was cancelled answers nobody`() async throws {
        let folder = try TemporaryFolder("standby")
        let cluster = try await PrivateCluster.start(directory: folder.path("db"), options: ClusterOptions(maxConnections: 40))
        do {
            try await check(cluster)
        } catch {
            try? await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    private func check(_ cluster: PrivateCluster) async throws {
        let owner = try PostgresConfiguration(url: cluster.url())
        try await Roles(owner).ensure([Roles.Login(service: "ledger", password: nil)])
        _ = try await Migrator(owner, folder: migrationsFolder, services: ["ledger"]).apply()
        let settings = LedgerSettings(
            database: try PostgresConfiguration(url: cluster.url(user: "openledger_ledger")), origin: "test.example/log",
            keys: [try Ed25519PrivateKey.generate()], instance: "test")
        let ledger = try await Ledger.make(
            settings, transport: try CurlTransport(), logger: .silent, metrics: Metrics(), clock: .frozen)
        let running = Task { await ledger.run() }
        let admin = try await PostgresConnection.connect(owner)
        try await eventually { ledger.isLeading }

        let caller = Caller()
        let calling = Task { try await caller.run(ledger) }
        try await eventually { caller.said.withLock { $0.answered.count } > 3 }
        _ = try await admin.executeScript("alter system set synchronous_standby_names = 'nobody'")
        _ = try await admin.executeScript("select pg_reload_conf()")
        let waiting: Statement = """
            select count(*) from pg_stat_activity where application_name = 'openledger-writer' and wait_event = 'SyncRep'
            """
        try await eventually("the writer waits for a standby") { try await admin.execute(waiting).one().int(0) == 1 }
        let before = caller.said.withLock { $0.answered.count }
        _ = try await admin.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'openledger-writer' and wait_event = 'SyncRep'")
        try await calling.value
        let (answered, refused) = caller.said.withLock { ($0.answered, $0.refused) }
        #expect(answered.count == before, "nothing was answered for that no standby has")
        let unanswered = try #require(refused)
        guard case .unavailable = unanswered.error else { throw unanswered.error }

        // With the standby dispensed with, the same command gets its first answer: it is on the log, once.
        _ = try await admin.executeScript("alter system reset synchronous_standby_names")
        _ = try await admin.executeScript("select pg_reload_conf()")
        try await eventually { ledger.isLeading }
        let again = try await ledger.append(try Sample.append(unanswered.command), writer: .billing)
        #expect(again.isRepeat && again.position == UInt64(answered.count))
        #expect(try await admin.execute("select count(*) from ledger.events").one().int(0) == Int64(answered.count + 1))
        running.cancel()
        await running.value
        await admin.close()
    }
}
