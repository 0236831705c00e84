import Foundation
import PrivatePostgres

let arguments = Array(CommandLine.arguments.dropFirst())
let root = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-pg-\(getpid())").path
let cluster = try await PrivateCluster.start(directory: root, options: ClusterOptions(maxConnections: 200))
let migrations = "migrations"
let rounds = Int(ProcessInfo.processInfo.environment["ROUNDS"] ?? "3") ?? 3
do {
    switch arguments.first ?? "all" {
    case "append": try await AppendBenchmark.run(rounds: rounds, seconds: 4, callers: arguments.count > 1 ? arguments.dropFirst().compactMap { Int($0) } : [1, 32, 256], cluster: cluster, migrations: migrations)
    default: print("benchmarks append [callers…]")
    }
} catch { print("failed: \(error)") }
try await cluster.stop()
try? FileManager.default.removeItem(atPath: root)
