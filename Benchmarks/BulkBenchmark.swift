import EventLog
import Events
import Foundation
import LedgerService
import Postgres
import PrivatePostgres

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
            ours.append(
                try await load(callers: 4, count: appends.count) { _ = try await client.append(AppendRequest(events: appends[$0])) })
            peer.append(try await copy(appends.flatMap { $0 }, cluster))
        }
        let figures = median(ours)
        let (events, rate) = (figures.perSecond * 1_000, peer.sorted()[peer.count / 2])
        row("bulk, 1,000 events an append, 4 callers", thousands(events), micro(figures.cpu / Double(count)) + " CPU")
        row("  beside binary COPY, same indexes", thousands(rate), ratio(events / rate))

        await bench.stop()
        // On a log of its own: the shorter one must be short.
        let growing = try await LogBench.start(cluster, database: "bench_growth")
        try await growth(growing, options)
        await growing.stop()
    }

    private static func growth(_ bench: LogBench, _ options: BenchOptions) async throws {
        let short = try await rate(at: 10_000, bench, options)
        let long = try await rate(at: 1_000_000, bench, options)
        row("  longer beside shorter", "", ratio(long / short))
    }

    private static func rate(at size: Int, _ bench: LogBench, _ options: BenchOptions) async throws -> Double {
        try await fill(to: size, bench)
        var rounds: [Figures] = []
        for round in 0..<options.rounds { rounds.append(try await single(bench, tag: "s\(size)-\(round)")) }
        let figures = median(rounds)
        row("32 callers on a log of \(bench.ledger.tail.size)", thousands(figures.perSecond))
        return figures.perSecond
    }

    private static func single(_ bench: LogBench, tag: String) async throws -> Figures {
        let client = bench.ledger.client(for: .billing)
        let events = try LogBench.events(60_000, tag: tag)
        return try await load(callers: 32, count: events.count) { _ = try await client.append(AppendRequest(events: [events[$0]])) }
    }

    private static func fill(to size: Int, _ bench: LogBench) async throws {
        let missing = max(0, size - Int(bench.ledger.tail.size))
        for part in 0..<(missing + 49_999) / 50_000 {
            try await append(min(50_000, missing - part * 50_000), bench, tag: "g\(size)-\(part)")
        }
    }

    private static func append(_ count: Int, _ bench: LogBench, tag: String) async throws {
        let client = bench.ledger.client(for: .billing)
        let appends = try LogBench.bulk(count, each: 1_000, tag: tag)
        _ = try await load(callers: 4, count: appends.count) { index in
            _ = try await client.append(AppendRequest(events: appends[index]))
        }
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
