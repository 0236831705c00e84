import Foundation
import Postgres
import PrivatePostgres

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// pgbench, as the distribution ships it, over the same server as the ledger.
struct PgBench {
    let cluster: PrivateCluster
    let folder: URL

    /// Scripts and tables: a bare INSERT of 500 bytes, and a dense order by a row lock.
    static func prepare(_ cluster: PrivateCluster) async throws -> PgBench {
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url()))
        _ = try await connection.executeScript(
            """
            drop table if exists bare, dense, dense_counter;
            create table bare (id bigserial primary key, bytes bytea not null);
            create table dense_counter (next bigint not null); insert into dense_counter values (0);
            create table dense (position bigint primary key, bytes bytea not null);
            """)
        await connection.close()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let bytes = String(repeating: "ab", count: 500)
        try "insert into bare (bytes) values ('\\x\(bytes)');\n"
            .write(to: folder.appendingPathComponent("bare.sql"), atomically: true, encoding: .utf8)
        try """
        begin;
        update dense_counter set next = next + 1 returning next \\gset
        insert into dense values (:next, '\\x\(bytes)');
        commit;

        """.write(to: folder.appendingPathComponent("dense.sql"), atomically: true, encoding: .utf8)
        return PgBench(cluster: cluster, folder: folder)
    }

    /// Bare INSERT and commit.
    func insert(clients: Int, seconds: Int) async throws -> Double { try await run("bare.sql", clients, seconds) }
    /// A dense order kept by a row lock to the commit.
    func dense(clients: Int, seconds: Int) async throws -> Double { try await run("dense.sql", clients, seconds) }

    /// What a script of the folder reaches.
    func run(_ script: String, _ clients: Int, _ seconds: Int) async throws -> Double {
        let outcome = try await Subprocess.run(
            [
                cluster.programs.folder + "/pgbench", "-n", "-M", "prepared", "-c", String(clients), "-j", String(min(clients, 2)), "-T",
                String(seconds), "-f", folder.appendingPathComponent(script).path, "-h", cluster.socketDirectory, "-p",
                String(cluster.port),
                "-U", cluster.superuser, cluster.database,
            ])
        guard let line = outcome.output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let rate = Double(line.dropFirst(6).prefix { $0 != " " })
        else { throw BenchmarkError("pgbench said: \(outcome.output) \(outcome.errors)") }
        return rate
    }
}

/// Other verifiable logs, where a folder with their programs is named by OPENLEDGER_TEST_PEERS.
struct LogPeers {
    let folder: String

    init?() {
        guard let path = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_PEERS"],
            FileManager.default.fileExists(atPath: path + "/append")
        else {
            return nil
        }
        folder = path + "/append"
    }

    func tessera(callers: Int, seconds: Int) async throws -> Double {
        try await run(["tessera-posix", "-c", String(callers), "-t", String(seconds), "-batch", "256", "-age", "2ms"])
    }

    func immudb(callers: Int, seconds: Int) async throws -> Double {
        try await run(["immudb-embedded", "-c", String(callers), "-t", String(seconds), "-sync", "2ms"])
    }

    private func run(_ command: [String]) async throws -> Double {
        let data = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-peer-\(getpid())")
        defer { try? FileManager.default.removeItem(at: data) }
        let outcome = try await Subprocess.run([folder + "/" + command[0]] + command.dropFirst() + ["-dir", data.path])
        // `tessera posix c=1 batch=256 age=2ms: 251/s p50 …`
        guard let end = outcome.output.range(of: "/s p50"),
            let rate = Double(outcome.output[..<end.lowerBound].split(separator: " ").last ?? "")
        else { throw BenchmarkError("\(command[0]) said: \(outcome.output) \(outcome.errors)") }
        return rate
    }
}
