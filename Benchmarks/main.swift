import Foundation
import PrivatePostgres

// benchmarks VERB [callers …]; run from the root of the sources, in a release build, on a quiet machine.
let options = BenchOptions(Array(CommandLine.arguments.dropFirst()))
do {
    switch options.verb {
    case "append": try await withServer { try await AppendBenchmark.run(options, $0) }
    case "bulk": try await withServer { try await BulkBenchmark.run(options, $0) }
    case "rest": try await withServer { try await RESTBenchmark.run(options, $0) }
    case "http": try await HTTPBenchmark.run(options)
    case "all":
        try await withServer { try await AppendBenchmark.run(options, $0) }
        try await withServer { try await RESTBenchmark.run(options, $0) }
        try await withServer { try await BulkBenchmark.run(options, $0) }
        try await HTTPBenchmark.run(options)
    default:
        print("usage: benchmarks append | rest | bulk | http | all [callers …]   (ROUNDS, SECONDS in the environment)")
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

/// A private server for one benchmark, with fsync on as everywhere.
func withServer(_ body: (PrivateCluster) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-pg-\(getpid())").path
    let cluster = try await PrivateCluster.start(directory: path, options: ClusterOptions(maxConnections: 200, stopsWithParent: true))
    do { try await body(cluster) } catch {
        try? await cluster.stop()
        try? FileManager.default.removeItem(atPath: path)
        throw error
    }
    try await cluster.stop()
    try? FileManager.default.removeItem(atPath: path)
}
