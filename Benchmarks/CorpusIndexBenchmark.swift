import AttributionDomain
import CorpusIndex
import Crypto
import Foundation
import JSON

/// The corpus index beside infini-gram's engine: same corpus, same tokens, same queries. See Benchmarks/README.md for how the folder that
/// `OPENLEDGER_SPAN_PEER` names is made; its figures are read from the results that the peer's own script wrote there.
enum CorpusIndexBenchmark {
    struct Doc {
        let id: String
        let source: String
        let text: [UInt8]
    }

    static func run() throws {
        guard let peer = ProcessInfo.processInfo.environment["OPENLEDGER_SPAN_PEER"] else {
            throw BenchmarkError("name the folder of the peer's corpus in OPENLEDGER_SPAN_PEER")
        }
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-index-\(getpid())").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        try tokens(peer, scratch)
        try words(peer, scratch)
        try influence(scratch)
    }

    // MARK: The peer's tokens

    private static func tokens(_ peer: String, _ scratch: String) throws {
        let raw = try Data(contentsOf: URL(fileURLWithPath: peer + "/index_bpe/tokenized.0"))
        var items: [(id: String, tokens: [UInt32])] = []
        raw.withUnsafeBytes { bytes in
            for index in 0..<bytes.count / 2 {
                let token = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
                if token == .max { items.append(("d\(items.count)", [])) } else { items[items.count - 1].tokens.append(UInt32(token)) }
            }
        }
        let path = scratch + "/tokens"
        let (start, cpu) = (monotonic(), processCPU())
        try TokenIndex.build(items: items, vocabulary: 32_000, to: path)
        let (wall, used) = (monotonic() - start, processCPU() - cpu)
        let index = try TokenIndex(path: path)
        let build = try JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: peer + "/index_bpe/build.json"))))
        let text = build["utf8_bytes"]?.doubleValue ?? 1
        row("same tokens as infini-gram", "ours", "peer", "ratio")
        line("build, s wall", wall, build["build_sa_s"]?.doubleValue)
        line("build, s CPU", used, build["build_sa_cpu_s"]?.doubleValue)
        line("index bytes per text byte", Double(index.bytes) / text, (build["index_bytes"]?.doubleValue ?? 0) / text)

        let results = try? JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: peer + "/results_index_bpe_mc10_pf0.json"))))
        let wide = try? JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: peer + "/results_index_bpe_mc1000000_pf0.json"))))
        let queries = try lines(peer + "/workload/ngrams.jsonl").map { ($0["ids"]?.arrayValue ?? []).map { UInt32($0.intValue ?? 0) } }
        var sum = 0
        for query in queries { sum += index.count(query) }
        var best: [Double] = []
        for query in queries.shuffled() {
            var least = Double.infinity
            for _ in 0..<3 {
                let before = monotonic()
                _ = index.count(query)
                least = min(least, monotonic() - before)
            }
            best.append(least)
        }
        best.sort()
        line("count, µs p50, best of 3", best[best.count / 2] * 1e6, results?["count_us"]?["all"]?["p50"]?.doubleValue)
        line("count, µs p99, best of 3", best[best.count * 99 / 100] * 1e6, results?["count_us"]?["all"]?["p99"]?.doubleValue)
        line("sum of counts (must be equal)", Double(sum), results?["count_checksum"]?.doubleValue)

        let traces = try lines(peer + "/workload/traces.jsonl")
        for (length, kind) in [(200, "ooc"), (200, "stitched"), (450, "ooc"), (450, "stitched")] {
            let mine = traces.filter { $0["L"]?.intValue == Int64(length) && $0["kind"]?.stringValue == kind }
                .map { ($0["ids"]?.arrayValue ?? []).map { UInt32($0.intValue ?? 0) } }
            for (cap, from) in [(10, results), (1_000_000, wide)] {
                // All maximal spans, of one token already, and up to ten items of each that occurs at most as often as the cap: what the
                // peer's pipeline shows. Beside its engine's steps alone, and beside all of it (ranking in Python included).
                var times: [Double] = []
                for trace in cap == 10 ? mine : Array(mine.prefix(15)) {
                    var least = Double.infinity
                    for _ in 0..<(cap == 10 ? 3 : 1) {
                        let before = monotonic()
                        _ = index.maximalSpans(trace, minimumTokens: 1, occurrenceLimit: cap, itemLimit: 10)
                        least = min(least, monotonic() - before)
                    }
                    times.append(least)
                }
                times.sort()
                let theirs = from?["trace_\(length)_\(kind)"]
                let engine = (theirs?["spans_us"]?["p50"]?.doubleValue ?? 0) + (theirs?["docs_us"]?["p50"]?.doubleValue ?? 0)
                let half = times[times.count / 2] * 1e6
                line("trace \(length) \(kind), cap \(cap), µs p50, spans and documents", half, theirs == nil ? nil : engine)
                line("trace \(length) \(kind), cap \(cap), µs p50, whole", half, theirs?["total_us"]?["p50"]?.doubleValue)
            }
        }
    }

    // MARK: Words

    private static func words(_ peer: String, _ scratch: String) throws {
        let docs = try lines(peer + "/corpus/corpus.jsonl").enumerated().map { number, json in
            Doc(id: "d\(number)", source: json["source"]?.stringValue ?? "", text: Array((json["text"]?.stringValue ?? "").utf8))
        }
        row("by words", "MB", "build s", "bytes/byte", "trace 450")
        let sizes = [10, 50, 102]
        var random = SystemRandomNumberGenerator()
        let order = docs.shuffled(using: &random)
        for size in sizes {
            var (taken, bytes) = (0, 0)
            while taken < order.count, bytes < size * 1_000_000 {
                bytes += order[taken].text.count
                taken += 1
            }
            let part = order[0..<taken]
            let path = scratch + "/words-\(size)"
            let builder = try CorpusIndexBuilder(directory: path)
            let start = monotonic()
            try builder.build(root: SHA256.hash(utf8: "bench"), items: part.lazy.map { CorpusItem(id: $0.id, text: $0.text) })
            let full = monotonic() - start
            let index = try CorpusIndex(directory: path, verification: .headers)
            let texts = try answers(part.map(\.text), count: 200)
            var times: [Double] = []
            for text in texts {
                let before = monotonic()
                _ = index.maximalSpans(of: text, minimumTokens: 8, occurrenceLimit: 10_000)
                times.append(monotonic() - before)
            }
            times.sort()
            row(
                "words of \(taken) items", String(format: "%.1f", Double(bytes) / 1e6), String(format: "%.2f", full),
                String(format: "%.3f", Double(index.bytes) / Double(bytes)), micro(times[times.count / 2]))
            if size == 50 { try shares(index, Array(part), texts) }
            if size == 102 { try append(builder, part.map(\.text), bytes, full) }
        }
    }

    /// One hundredth of new documents.
    private static func append(_ builder: CorpusIndexBuilder, _ texts: [[UInt8]], _ bytes: Int, _ full: Double) throws {
        var fresh: [CorpusItem] = []
        var size = 0
        for text in texts.reversed() where size < bytes / 100 {
            size += text.count
            fresh.append(CorpusItem(id: "new\(fresh.count)", text: Array("fresh ".utf8) + text))
        }
        let start = monotonic()
        try builder.update(root: SHA256.hash(utf8: "more"), adding: fresh)
        let wall = monotonic() - start
        row("adding 1% new documents", String(format: "%.3f s", wall), String(format: "%.2f%% of a build", wall / full * 100))
    }

    /// Traced and shared out, on two threads.
    private static func shares(_ index: CorpusIndex, _ docs: [Doc], _ texts: [WordSequence]) throws {
        var facts: [String: ItemFacts] = [:]
        for (number, doc) in docs.enumerated() {
            facts[doc.id] = ItemFacts(owner: doc.source, position: number, tokens: doc.text.count / 5)
        }
        let items = SnapshotItems(facts)
        let prompt = try WordSequence("What does the documentation say about this?")
        let start = monotonic()
        let rounds = 5
        DispatchQueue.concurrentPerform(iterations: 2) { half in
            for round in 0..<rounds * texts.count / 2 {
                let text = texts[(round * 2 + half) % texts.count]
                _ = try? Attribution.compute(answer: text, prompt: prompt, index: index, items: items, policy: AttributionPolicy())
            }
        }
        let wall = monotonic() - start
        row("answers of 450 words traced and shared out", thousands(Double(rounds * texts.count) / wall))
    }

    private static func answers(_ texts: [[UInt8]], count: Int) throws -> [WordSequence] {
        try (0..<count).map { _ in
            var bytes: [UInt8] = []
            var words = 0
            while words < 450 {
                let text = texts[Int.random(in: 0..<texts.count)]
                let start = Int.random(in: 0...max(0, text.count - 200))
                let quote = Array(text[start..<min(text.count, start + 150)]) + Array(" then \(words) said so, ".utf8)
                bytes += quote
                words += try WordSequence(quote).count
            }
            return try WordSequence(bytes)
        }
    }

    // MARK: Influence

    private static func influence(_ scratch: String) throws {
        let (rows, checkpoints) = (10_000, 2)
        let tensors = (0..<18).map { InfluenceRows.Tensor(name: "t\($0)", columns: 1152) }
        var random = SystemRandomNumberGenerator()
        func write(_ path: String, _ count: Int) throws {
            var writer = try InfluenceRowsWriter(path: path, tensors: tensors)
            let noise = (0..<(18 * 1152 + 997)).map { _ in Float.random(in: -1...1, using: &random) }
            for number in 0..<count { try writer.append(item: "i\(number)", Array(noise[(number % 997)..<(number % 997 + 18 * 1152)])) }
            _ = try writer.finish()
        }
        var files: [InfluenceRows] = []
        for number in 0..<checkpoints {
            try write(scratch + "/rows\(number)", rows)
            files.append(try InfluenceRows(path: scratch + "/rows\(number)"))
        }
        try write(scratch + "/query", 1)
        let query = try InfluenceRows(path: scratch + "/query")
        var (scan, read, check): (Double, Double, UInt64) = (.infinity, .infinity, 0)
        for _ in 0..<7 {
            var start = monotonic()
            for file in files { check &+= file.plainRead() }
            read = min(read, monotonic() - start)
            start = monotonic()
            for file in files { check &+= UInt64(bitPattern: try file.scores(for: query).scores[0]) }
            scan = min(scan, monotonic() - start)
        }
        let bytes = Double(files.reduce(0) { $0 + $1.scanBytes })
        row("influence, \(rows) rows × \(checkpoints), \(InfluenceRows.kernel)", "scan", "plain read", "part", "per row")
        row(
            "GB/s (\(check % 10))", String(format: "%.1f", bytes / scan / 1e9), String(format: "%.1f", bytes / read / 1e9),
            String(format: "%.0f%%", read / scan * 100), String(format: "%.2f µs", scan / Double(rows * checkpoints) * 1e6))
        row("answers with influence, one thread", thousands(1 / scan))
    }

    private static func line(_ name: String, _ ours: Double, _ peer: Double?) {
        row(
            name, String(format: "%.3f", ours), peer.map { String(format: "%.3f", $0) } ?? "-",
            peer.map { String(format: "%.2fx", $0 / ours) } ?? "-")
    }

    private static func lines(_ path: String) throws -> [JSONValue] {
        try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).map {
            try JSON.parse([UInt8]($0), limits: JSONLimits(depth: 8, bytes: 64 << 20, items: 1_000_000))
        }
    }
}
