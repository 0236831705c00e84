import EventLog
import Events
import Foundation
import LedgerService
import Postgres
import PrivatePostgres

/// Durable appends of 500-byte events, in process, beside a bare INSERT, a dense order in SQL and other verifiable logs on
/// the same disk in the same run.
enum AppendBenchmark {
    static func run(_ options: BenchOptions, _ cluster: PrivateCluster) async throws {
        let bench = try await LogBench.start(cluster, database: "bench_append")
        let pgbench = try await PgBench.prepare(cluster)
        let peers = LogPeers()
        if peers == nil { print("OPENLEDGER_TEST_PEERS names no folder of peers: the verifiable logs are left out") }
        let callers = options.callers.isEmpty ? [1, 32, 256] : options.callers
        let best = callers.contains(256) ? try await sweep(pgbench, seconds: options.seconds) : 128
        print("durable appends of 500-byte events (medians of \(options.rounds))")
        for callers in callers {
            var rounds = Rounds()
            for round in 0..<options.rounds {
                // Many callers beside whatever number of clients pgbench is fastest with, measured again in each round.
                let clients = callers == 256 ? best : min(callers, 128)
                rounds.add("bare INSERT, \(clients) pgbench clients", try await pgbench.insert(clients: clients, seconds: options.seconds))
                if callers == 32 {
                    rounds.add("dense order by row lock, 32 clients", try await pgbench.dense(clients: 32, seconds: options.seconds))
                }
                if let peers {
                    rounds.add("tessera-posix", try await peers.tessera(callers: callers, seconds: options.seconds))
                    rounds.add("immudb-embedded", try await peers.immudb(callers: callers, seconds: options.seconds))
                }
                let count = LogBench.count(for: callers, seconds: options.seconds)
                let events = try LogBench.events(count, tag: "a\(callers)-\(round)")
                let client = bench.ledger.client(for: .billing)
                rounds.ours.append(
                    try await load(callers: callers, count: count) { index in
                        _ = try await client.append(AppendRequest(events: [events[index]]))
                    })
            }
            if options.isVerbose { print("  rounds: " + rounds.ours.map { thousands($0.perSecond) }.joined(separator: ", ")) }
            let ours = median(rounds.ours)
            row(
                "ledger, \(callers) callers", thousands(ours.perSecond), "p50 " + micro(ours.percentile(0.5)),
                "p99 " + micro(ours.percentile(0.99)),
                micro(ours.cpu / Double(ours.count)) + " CPU")
            for (name, rates) in rounds.peers {
                let rate = rates.sorted()[rates.count / 2]
                row("  beside \(name)", thousands(rate), ratio(ours.perSecond / rate))
            }
        }
        await bench.stop()
    }

    /// With how many clients pgbench's bare INSERT is fastest here.
    private static func sweep(_ pgbench: PgBench, seconds: Int) async throws -> Int {
        var best = (clients: 0, rate: 0.0)
        var rates: [String] = []
        for clients in [8, 16, 32, 48, 64, 96, 128] {
            let rate = try await pgbench.insert(clients: clients, seconds: seconds)
            rates.append("\(clients): \(thousands(rate))")
            if rate > best.rate { best = (clients, rate) }
        }
        print("pgbench's bare INSERT by clients: \(rates.joined(separator: ", ")); best with \(best.clients)")
        return best.clients
    }

    /// Figures of one number of callers.
    private struct Rounds {
        var ours: [Figures] = []
        var peers: [(name: String, rates: [Double])] = []

        mutating func add(_ name: String, _ rate: Double) {
            if let index = peers.firstIndex(where: { $0.name == name }) {
                peers[index].rates.append(rate)
            } else {
                peers.append((name, [rate]))
            }
        }
    }
}
