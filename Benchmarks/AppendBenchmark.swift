import EventLog
import Events
import Foundation
import LedgerService
import Postgres
import PrivatePostgres

/// Durable appends beside pgbench's bare INSERT, on the same server in the same run.
enum AppendBenchmark {
    static func run(rounds: Int, seconds: Int, callers: [Int], cluster: PrivateCluster, migrations: String) async throws {
        let bench = try await LogBench.start(cluster, database: "bench_append", migrations: migrations)
        let pgbench = try await PgBench.prepare(cluster)
        row("append of 500-byte events, each durable", "per second", "p50", "p99", "CPU/op")
        var bare: [Int: Double] = [:]
        var ours: [Int: Double] = [:]
        for callers in callers {
            var peers: [Figures] = []
            var figures: [Figures] = []
            for round in 0..<rounds {
                peers.append(try await pgbench.insert(clients: min(callers, 128), seconds: seconds))
                let count = min(400_000, max(2_000, Int(peers[0].perSecond * Double(seconds) * (callers > 64 ? 3 : 1))))
                let events = try LogBench.events(count, tag: "a\(callers)-\(round)")
                let client = bench.ledger.client(for: .billing)
                figures.append(try await load(callers: callers, count: count) { index in
                    _ = try await client.append(AppendRequest(events: [events[index]]))
                })
            }
            let (peer, mine) = (median(peers), median(figures))
            bare[callers] = peer.perSecond
            ours[callers] = mine.perSecond
            row("  bare INSERT, \(min(callers, 128)) pgbench clients", thousands(peer.perSecond))
            row("  ledger, \(callers) callers in process", thousands(mine.perSecond), micro(mine.percentile(0.5)), micro(mine.percentile(0.99)), micro(mine.cpu / Double(mine.count)))
            row("  ratio", ratio(mine.perSecond / peer.perSecond))
        }
        if let best = bare.values.max(), let most = ours[256] { row("  256 callers beside pgbench's best", ratio(most / best)) }
        await bench.stop()
    }
}

/// pgbench, as the distribution ships it.
struct PgBench {
    let cluster: PrivateCluster
    let folder: URL

    static func prepare(_ cluster: PrivateCluster) async throws -> PgBench {
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url()))
        _ = try await connection.executeScript("""
            drop table if exists bare; create table bare (id bigserial primary key, bytes bytea not null);
            drop table if exists dense_counter; create table dense_counter (next bigint not null); insert into dense_counter values (0);
            drop table if exists dense; create table dense (position bigint primary key, bytes bytea not null);
            """)
        await connection.close()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let bytes = String(repeating: "ab", count: 500)
        try "insert into bare (bytes) values ('\\x\(bytes)');\n".write(to: folder.appendingPathComponent("bare.sql"), atomically: true, encoding: .utf8)
        try """
            begin;
            update dense_counter set next = next + 1 returning next \\gset
            insert into dense values (:next, '\\x\(bytes)');
            commit;

            """.write(to: folder.appendingPathComponent("dense.sql"), atomically: true, encoding: .utf8)
        return PgBench(cluster: cluster, folder: folder)
    }

    func insert(clients: Int, seconds: Int) async throws -> Figures { try await run("bare.sql", clients, seconds) }
    func dense(clients: Int, seconds: Int) async throws -> Figures { try await run("dense.sql", clients, seconds) }

    private func run(_ script: String, _ clients: Int, _ seconds: Int) async throws -> Figures {
        let outcome = try await Subprocess.run(
            [
                cluster.programs.folder + "/pgbench", "-n", "-M", "prepared", "-c", String(clients), "-j", String(min(clients, 2)), "-T", String(seconds), "-f",
                folder.appendingPathComponent(script).path, "-h", cluster.socketDirectory, "-p", String(cluster.port), "-U", cluster.superuser, cluster.database,
            ])
        guard let line = outcome.output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let tps = Double(line.dropFirst(6).prefix { $0 != " " })
        else { throw BenchmarkError("pgbench said: \(outcome.output) \(outcome.errors)") }
        return Figures(count: Int(tps * Double(seconds)), seconds: Double(seconds), cpu: 0)
    }
}

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
