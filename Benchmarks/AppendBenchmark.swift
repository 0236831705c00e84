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
        var bare: [Double] = []
        print("durable appends of 500-byte events (medians of \(options.rounds))")
        for callers in callers {
            var rounds = Rounds()
            for round in 0..<options.rounds {
                let clients = min(callers, 128)
                rounds.add("bare INSERT, \(clients) pgbench clients", try await pgbench.insert(clients: clients, seconds: options.seconds))
                if callers == 32 { rounds.add("dense order by row lock, 32 clients", try await pgbench.dense(clients: 32, seconds: options.seconds)) }
                if let peers {
                    rounds.add("tessera-posix", try await peers.tessera(callers: callers, seconds: options.seconds))
                    rounds.add("immudb-embedded", try await peers.immudb(callers: callers, seconds: options.seconds))
                }
                let count = LogBench.count(for: callers, seconds: options.seconds)
                let events = try LogBench.events(count, tag: "a\(callers)-\(round)")
                let client = bench.ledger.client(for: .billing)
                rounds.ours.append(try await load(callers: callers, count: count) { index in
                    _ = try await client.append(AppendRequest(events: [events[index]]))
                })
            }
            let ours = median(rounds.ours)
            row(
                "ledger, \(callers) callers", thousands(ours.perSecond), "p50 " + micro(ours.percentile(0.5)), "p99 " + micro(ours.percentile(0.99)),
                micro(ours.cpu / Double(ours.count)) + " CPU")
            for (name, rates) in rounds.peers {
                let rate = rates.sorted()[rates.count / 2]
                if name.hasPrefix("bare") { bare.append(rate) }
                row("  beside \(name)", thousands(rate), ratio(ours.perSecond / rate))
            }
            if callers == 256, let best = bare.max() { row("  beside pgbench's best", thousands(best), ratio(ours.perSecond / best)) }
        }
        await bench.stop()
    }

    /// Figures of one number of callers.
    private struct Rounds {
        var ours: [Figures] = []
        var peers: [(name: String, rates: [Double])] = []

        mutating func add(_ name: String, _ rate: Double) {
            if let index = peers.firstIndex(where: { $0.name == name }) { peers[index].rates.append(rate) } else { peers.append((name, [rate])) }
        }
    }
}

/// Bulk appends beside COPY, and whether an append costs more on a longer log.
enum BulkBenchmark {
    static func run(_ options: BenchOptions, _ cluster: PrivateCluster) async throws {
        let bench = try await LogBench.start(cluster, database: "bench_bulk")
        let client = bench.ledger.client(for: .billing)
        let count = 100_000
        var ours: [Figures] = []
        var peer: [Double] = []
        for round in 0..<options.rounds {
            let appends = try LogBench.bulk(count, each: 1_000, tag: "b\(round)")
            ours.append(try await load(callers: 4, count: appends.count) { _ = try await client.append(AppendRequest(events: appends[$0])) })
            peer.append(try await copy(appends.flatMap { $0 }, cluster))
        }
        let figures = median(ours)
        let (events, rate) = (figures.perSecond * 1_000, peer.sorted()[peer.count / 2])
        row("bulk, 1,000 events an append, 4 callers", thousands(events), micro(figures.cpu / Double(count)) + " CPU")
        row("  beside binary COPY, same indexes", thousands(rate), ratio(events / rate))

        var rates: [Double] = []
        for size in [10_000, 1_000_000] {
            var missing = size - Int(bench.ledger.tail.size)
            var part = 0
            while missing > 0 {
                let appends = try LogBench.bulk(min(missing, 50_000), each: 1_000, tag: "g\(size)-\(part)")
                _ = try await load(callers: 4, count: appends.count) { _ = try await client.append(AppendRequest(events: appends[$0])) }
                missing -= 50_000
                part += 1
            }
            var rounds: [Figures] = []
            for round in 0..<options.rounds {
                let events = try LogBench.events(30_000, tag: "s\(size)-\(round)")
                rounds.append(try await load(callers: 32, count: events.count) { _ = try await client.append(AppendRequest(events: [events[$0]])) })
            }
            rates.append(median(rounds).perSecond)
            row("32 callers on a log of \(bench.ledger.tail.size)", thousands(median(rounds).perSecond))
        }
        if rates.count == 2 { row("  longer beside shorter", "", ratio(rates[1] / rates[0])) }
        await bench.stop()
    }

    /// A binary COPY of the same bytes into a table of the same shape and indexes, a commit each 1,000 rows as above.
    private static func copy(_ events: [[UInt8]], _ cluster: PrivateCluster) async throws -> Double {
        let connection = try await PostgresConnection.connect(try PostgresConfiguration(url: cluster.url(database: "bench_bulk")))
        _ = try await connection.executeScript("drop table if exists peer; create table peer (like ledger.events including all)")
        let start = monotonic()
        var position: Int64 = 0
        for batch in stride(from: 0, to: events.count, by: 1_000) {
            var copy = BinaryCopy(columns: 6, capacity: 700_000)
            for event in events[batch..<min(events.count, batch + 1_000)] {
                copy.startRow()
                copy.append(int8: position)
                copy.append(uuid: UInt64(position % 1_000) &* 0x9E37_79B9_7F4A_7C15, 0)
                copy.append(int8: position / 1_000)
                if position % 1_000 == 0 { copy.append(uuid: UInt64(position) &* 0x9E37_79B9_7F4A_7C15, 1) } else { copy.appendNull() }
                copy.append(bytes: Array(event.prefix(32)))
                copy.append(bytes: event)
                position += 1
            }
            _ = try await connection.copyIn("copy peer from stdin (format binary)", payload: copy)
        }
        let seconds = monotonic() - start
        await connection.close()
        return Double(events.count) / seconds
    }
}
