import Crypto
import EventLog
import Events
import Foundation
import JSON
import LedgerService
import PrivatePostgres

/// Settlements, holds and balances through the billing service, beside row-by-row double entry in SQL on the same server.
enum BillingBenchmark {
    static let widths = [62, 14, 12, 14, 12]

    static func run(_ options: BenchOptions, _ cluster: PrivateCluster) async throws {
        let environment = ProcessInfo.processInfo.environment
        let settlements = max(2_000, Int(environment["SETTLEMENTS"] ?? "") ?? 8_000)
        // A million take a quarter of an hour: FLAT=1000000 says so.
        let flat = Int(environment["FLAT"] ?? "") ?? 100_000
        print("load at the start: \(loadAverage())")
        let peer = try await MoneyPeer.prepare(cluster)
        let bench = try await BillingBench.start(cluster, database: "bench_billing")
        try await bench.prepare(payers: 200)
        try await compare(options, bench, peer, settlements)
        try await latency(bench)
        try await holds(bench)
        if flat > 0 { try await flatness(bench, upTo: flat) }
        try await balances(bench)
        print("load at the end: \(loadAverage())")
        await bench.stop()
    }

    private static func loadAverage() -> String {
        (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.split(separator: " ").prefix(3).joined(separator: " ") ?? "?"
    }

    // MARK: Settlements

    /// Answers that are told before their attributions are, as they come from a gateway and from who attributes them.
    private static let lot = 1_000

    /// Rounds of one and the other, each on the machine alone.
    private static func compare(_ options: BenchOptions, _ bench: BillingBench, _ peer: MoneyPeer, _ count: Int) async throws {
        var whole: [Figures] = []
        var onePayer: [Figures] = []
        var alone: [Figures] = []
        var spread: [Double] = []
        var spreadCPU: [Double] = []
        var hot: [Double] = []
        for round in 0..<options.rounds {
            let cpu = treeCPU()
            spread.append(try await peer.spread(clients: 32, seconds: options.seconds))
            spreadCPU.append((treeCPU() - cpu) / (spread[round] * Double(options.seconds)))
            hot.append(try await peer.hot(clients: 32, seconds: options.seconds))
            whole.append(try await settle(bench, count, payers: 200, tag: "many\(round)"))
            onePayer.append(try await settle(bench, count, payers: 1, tag: "one\(round)"))
            alone.append(try await share(bench, count, payers: 200, tag: "alone\(round)"))
        }
        spread.sort()
        spreadCPU.sort()
        hot.sort()
        let (rowByRow, rowByRowHot) = (spread[spread.count / 2], hot[hot.count / 2])
        let payees = Double(BillingBench.payees)
        print("CPU is that of the service, the server and the load together, for a settlement and for a transfer of the peer's")
        print("settlements of 1 payer to \(BillingBench.payees) payees; all share the platform's account (medians of \(options.rounds))")
        row("", "transfers", "settlements", "", widths: widths)
        for (name, rounds) in [
            ("fee captured and shared out, 200 payers", whole), ("fee captured and shared out, one payer", onePayer),
            ("shared out, the fee captured before, 200 payers", alone),
        ] {
            let figures = median(rounds)
            row(
                "billing, " + name, thousands(figures.perSecond * payees), thousands(figures.perSecond),
                micro(figures.cpu / Double(figures.count)) + " CPU", widths: widths)
            let cost = spreadCPU[spreadCPU.count / 2]
            row(
                "  beside row by row, 32 clients, \(MoneyPeer.accounts) accounts", thousands(rowByRow),
                ratio(figures.perSecond * payees / rowByRow), micro(cost) + " CPU",
                ratio(cost * payees * Double(figures.count) / figures.cpu) + " by CPU", widths: widths)
            row(
                "  beside row by row, 32 clients, one hot account", thousands(rowByRowHot), ratio(figures.perSecond * payees / rowByRowHot),
                widths: widths)
        }
    }

    /// From the first attribution that is told, the fees of all answers having been captured, until all are settled and on disk: two events
    /// for each settlement.
    private static func share(_ bench: BillingBench, _ count: Int, payers: Int, tag: String) async throws -> Figures {
        let before = try await bench.size()
        try await bench.inferences(0..<count, payers: payers, tag: tag)
        try await bench.waitUntil(size: before + UInt64(count) * 2)
        let start = monotonic()
        let cpu = treeCPU()
        try await bench.attributions(0..<count, tag: tag)
        try await bench.waitUntil(size: before + UInt64(count) * 4)
        return Figures(count: count, seconds: monotonic() - start, cpu: treeCPU() - cpu)
    }

    /// From the first answer that is told until all are settled and on disk: four events for each settlement (the answer, its
    /// attribution, the fee captured, the settlement), and the read model made along.
    private static func settle(_ bench: BillingBench, _ count: Int, payers: Int, tag: String) async throws -> Figures {
        let before = try await bench.size()
        let start = monotonic()
        let cpu = treeCPU()
        for lot in stride(from: 0, to: count, by: Self.lot) {
            try await bench.answers(lot..<min(lot + Self.lot, count), payers: payers, tag: tag)
        }
        try await bench.waitUntil(size: before + UInt64(count) * 4)
        return Figures(count: count, seconds: monotonic() - start, cpu: treeCPU() - cpu)
    }

    /// How long a single attribution waits for its settlement while others come at a steady pace.
    private static func latency(_ bench: BillingBench) async throws {
        for pace in [200, 1_000] {
            let count = pace * 4
            let client = bench.ledger.client(for: .billing)
            let first = try await bench.size()
            let watcher = Task { () throws -> [String: Double] in
                var settled: [String: Double] = [:]
                var next = first
                while settled.count < count {
                    let batch = try await client.read(from: next, limit: 1_000, wait: .seconds(10))
                    let now = monotonic()
                    for event in batch.events {
                        next = event.position + 1
                        guard let header = try? EventHeader(trusted: event.bytes), header.type == SettlementPosted.type,
                            case .event(let cause) = header.cause
                        else { continue }
                        settled[cause.text] = now
                    }
                }
                return settled
            }
            let each = max(1, pace / 100)
            var told: [String: Double] = [:]
            let start = monotonic()
            for (tick, index) in stride(from: 0, to: count, by: each).enumerated() {
                let due = start + Double(tick) * 0.01
                if due > monotonic() { try await Task.sleep(for: .seconds(due - monotonic())) }
                let now = monotonic()
                let tag = "pace\(pace)-\(index)"
                try await bench.answers(index..<index + each, payers: 200, tag: tag)
                for ordinal in 0..<each {
                    told[EventID(cause: "a-\(tag)-\(index)-0", type: AttributionComputed.type, ordinal: ordinal).text] = now
                }
            }
            let settled = try await watcher.value
            let waits = settled.compactMap { id, at in told[id].map { at - $0 } }.sorted()
            let figures = Figures(count: waits.count, seconds: monotonic() - start, cpu: 0, latencies: waits)
            row(
                "from attribution to settlement on disk, \(pace) a second", thousands(figures.perSecond),
                "p50 " + micro(figures.percentile(0.5)), "p99 " + micro(figures.percentile(0.99)), widths: widths)
        }
    }

    // MARK: Holds

    private static func holds(_ bench: BillingBench) async throws {
        let (each, calls) = (250, 240)
        for (name, payers) in [("200 payers", 200), ("one payer", 1)] {
            let start = monotonic()
            let cpu = processCPU()
            let ids = Collected()
            let placed = try await load(callers: 8, count: calls) { index in
                let holds = (0..<each).map { place -> JSONValue in
                    [
                        "account": .string("payer:p\((index + place) % payers)"),
                        "amount": ["asset": .string(BillingBench.asset), "amount": "900"],
                        "seconds": 600,
                    ]
                }
                let reply = try await bench.call("POST", "/v1/holds/batches", ["holds": .array(holds)], "holds-\(payers)-\(index)")
                let made = reply["events"]?.arrayValue?.compactMap { $0["data"]?["id"]?.stringValue } ?? []
                guard made.count == each else { throw BenchmarkError("\(made.count) holds of \(each)") }
                await ids.set(index, made)
            }
            let all = await ids.all
            let captured = try await load(callers: 8, count: calls) { index in
                let captures = (all[index] ?? []).enumerated().map { place, id -> JSONValue in
                    [
                        "hold": .string(id), "amount": ["asset": .string(BillingBench.asset), "amount": "800"],
                        "reference": .string("ref-\(payers)-\(index)-\(place)"),
                    ]
                }
                _ = try await bench.call("POST", "/v1/holds/captures", ["captures": .array(captures)], "captures-\(payers)-\(index)")
            }
            let seconds = monotonic() - start
            row(
                "holds placed and captured, \(each) a request, 8 callers, \(name)", thousands(Double(calls * each) / seconds),
                micro((processCPU() - cpu) / Double(calls * each)) + " CPU", widths: widths)
            row(
                "  a request to place, to capture", "p99 " + micro(placed.percentile(0.99)), "p99 " + micro(captured.percentile(0.99)),
                widths: widths)
        }
    }

    private actor Collected {
        private(set) var all: [Int: [String]] = [:]
        func set(_ index: Int, _ ids: [String]) { all[index] = ids }
    }

    // MARK: Balances

    private static func balances(_ bench: BillingBench) async throws {
        // The read model may be behind: what is measured is asked of it once it has seen all.
        let size = try await bench.size()
        let start = monotonic()
        while true {
            let reply = try await bench.call("GET", "/v1/accounts/platform:house/balance?asset=\(BillingBench.asset)")
            if let position = reply["position"]?.intValue, position + 1 >= Int(size) { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let behind = monotonic() - start
        let accounts = ["payer:p0", "pending:platform:house", "pending:contributor:owner-7", "payer:p3", "pending:validator:vera"]
        let figures = try await load(callers: 2, count: 4_000) { index in
            let position = (index &* 2_654_435_761) % Int(size)
            _ = try await bench.call(
                "GET", "/v1/accounts/\(accounts[index % accounts.count])/balance?asset=\(BillingBench.asset)&position=\(position)")
        }
        let entries = try await bench.entries()
        row(
            "balance as of a position, \(entries) entries", thousands(figures.perSecond), "p50 " + micro(figures.percentile(0.5)),
            "p99 " + micro(figures.percentile(0.99)), widths: widths)
        row("  the read model was behind by", micro(behind), widths: widths)
    }

    /// What a settlement costs while there are more and more within their holdback.
    private static func flatness(_ bench: BillingBench, upTo total: Int) async throws {
        var done = 0
        print("what a settlement costs as the log grows")
        for step in [10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000] where step <= total {
            let part = min(10_000, step - done)
            let filler = step - done - part
            if filler > 0 { _ = try await settleInParts(bench, filler, tag: "fill\(step)") }
            let figures = try await settle(bench, part, payers: 200, tag: "flat\(step)")
            done = step
            row(
                "  after \(step) more settlements", thousands(figures.perSecond * Double(BillingBench.payees)),
                thousands(figures.perSecond),
                micro(figures.cpu / Double(figures.count)) + " CPU", widths: widths)
        }
    }

    private static func settleInParts(_ bench: BillingBench, _ count: Int, tag: String) async throws {
        for start in stride(from: 0, to: count, by: 20_000) {
            _ = try await settle(bench, min(20_000, count - start), payers: 200, tag: "\(tag)-\(start)")
        }
    }
}
