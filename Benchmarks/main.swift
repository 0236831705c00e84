import Foundation
import Postgres
import PrivatePostgres

// benchmarks VERB [callers …]; run from the root of the sources, in a release build, on a quiet machine.
let options = BenchOptions(Array(CommandLine.arguments.dropFirst()))
do {
    switch options.verb {
    case "append": try await withServer { try await AppendBenchmark.run(options, $0) }
    case "bulk": try await withServer { try await BulkBenchmark.run(options, $0) }
    case "rest": try await withServer { try await RESTBenchmark.run(options, $0) }
    case "billing": try await withServer { try await BillingBenchmark.run(options, $0) }
    case "audit": try await AuditBenchmark.run(options)
    case "audit-once": try await AuditBenchmark.runOnce()
    case "projection": try await withServer { try await ProjectionBench.run(options, $0) }
    case "spans": try CorpusIndexBenchmark.run(rounds: options.rounds)
    case "answers": try AnswersBenchmark.run(rounds: options.rounds)
    case "http": try await HTTPBenchmark.run(options)
    case "screening": try await ScreeningBenchmark.run()
    case "ingest": try await IngestBenchmark.run()
    case "upload": try await UploadBenchmark.run()
    case "gateway": try await GatewayBenchmark.run(options)
    case "gateway-stub": try await StubUpstream.serve()
    case "mandates": try await withServer { try await MandateBenchmark.run(options, $0) }
    case "runner": try await RunnerBenchmark.run()
    case "engine": try await EngineBenchmark.run(rounds: options.rounds)
    case "all":
        try await withServer { try await AppendBenchmark.run(options, $0) }
        try await withServer { try await RESTBenchmark.run(options, $0) }
        try await withServer { try await BulkBenchmark.run(options, $0) }
        try await withServer { try await ProjectionBench.run(options, $0) }
        try await AuditBenchmark.run(options)
        try await HTTPBenchmark.run(options)
    default:
        print(
            "usage: benchmarks append | rest | bulk | billing | mandates | projection | audit | http | spans | answers | gateway | engine | runner | screening | ingest | upload | all"
        )
        print("       [callers …]")
        print("       (ROUNDS, SECONDS in the environment)")
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
    exit(1)
}

/// What was typed.
struct BenchOptions {
    let verb: String
    let callers: [Int]
    let rounds: Int
    let seconds: Int
    let isVerbose: Bool

    init(_ words: [String]) {
        verb = words.first ?? "all"
        callers = words.dropFirst().compactMap { Int($0) }
        let environment = ProcessInfo.processInfo.environment
        rounds = max(1, Int(environment["ROUNDS"] ?? "") ?? 3)
        isVerbose = environment["VERBOSE"] == "1"
        seconds = max(1, Int(environment["SECONDS"] ?? "") ?? 4)
    }
}

/// Makes the files of the write-ahead log that a server has made once it has run for a while, and then uses again: a new server
/// stops for each new one.
private func warm(_ cluster: PrivateCluster) async throws {
    let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url()))
    for _ in 0..<96 {
        _ = try await connection.execute("select pg_logical_emit_message(true, 'warm', 'up')")
        _ = try await connection.execute("select pg_switch_wal()")
    }
    _ = try await connection.executeScript("checkpoint")
    await connection.close()
}

/// A private server for one benchmark, with fsync on as everywhere.
func withServer(_ body: (PrivateCluster) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-pg-\(getpid())").path
    let cluster = try await PrivateCluster.start(
        directory: path, options: ClusterOptions(settings: ["min_wal_size": "2GB"], maxConnections: 200, stopsWithParent: true))
    do {
        try await warm(cluster)
        try await body(cluster)
    } catch {
        try? await cluster.stop()
        try? FileManager.default.removeItem(atPath: path)
        throw error
    }
    try await cluster.stop()
    try? FileManager.default.removeItem(atPath: path)
}
