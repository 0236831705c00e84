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

    /// The documents of the peer's corpus.
    static func corpus(_ peer: String) throws -> [Doc] {
        try lines(peer + "/corpus/corpus.jsonl").enumerated().map { number, json in
            Doc(id: "d\(number)", source: json["source"]?.stringValue ?? "", text: Array((json["text"]?.stringValue ?? "").utf8))
        }
    }

    private static func words(_ peer: String, _ scratch: String) throws {
        let docs = try corpus(peer)
        row("by words", "MB", "build s", "bytes/byte", "trace 450", "count")
        var random = SystemRandomNumberGenerator()
        let order = docs.shuffled(using: &random)
        // Ours alone beyond the peer's corpus: lines of it in new documents.
        let largest = Int(ProcessInfo.processInfo.environment["OPENLEDGER_SPAN_MEGABYTES"] ?? "") ?? 500
        for size in [10, 50, 102, largest] {
            let part = documents(order, bytes: size * 1_000_000, &random)
            let bytes = part.reduce(0) { $0 + $1.text.count }
            let path = scratch + "/words-\(size)"
            let start = monotonic()
            try CorpusIndexBuilder(directory: path).build(
                root: SHA256.hash(utf8: "bench"), items: part.lazy.map { CorpusItem(id: $0.id, text: $0.text) })
            let full = monotonic() - start
            let index = try CorpusIndex(directory: path, verification: .headers)
            let texts = try answers(part.map(\.text), count: 200)
            let times = timed(texts) { _ = index.maximalSpans(of: $0, minimumTokens: 8, occurrenceLimit: 10_000) }
            let runs = try texts.map { try WordSequence(Array($0.bytes[$0.byteRange(0..<6)])) }
            let counts = timed(runs) { _ = index.count($0) }
            row(
                "words of \(part.count) items", String(format: "%.1f", Double(bytes) / 1e6), String(format: "%.2f", full),
                String(format: "%.3f", Double(index.bytes) / Double(bytes)), micro(times[times.count / 2]),
                String(format: "%.2f µs", counts[counts.count / 2] * 1e6))
            if size == 50 { try AnswersBenchmark.spans(index, part, texts, rounds: 3) }
            if size == 102 { try append(path, part, bytes, full) }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// So many bytes of documents; where there are not enough, documents of lines drawn from all of them.
    static func documents(_ all: [Doc], bytes: Int, _ random: inout SystemRandomNumberGenerator) -> [Doc] {
        var found: [Doc] = []
        var sum = 0
        for doc in all where sum < bytes {
            found.append(doc)
            sum += doc.text.count
        }
        guard sum < bytes else { return found }
        let lines = all.prefix(2_000).flatMap { $0.text.split(separator: 0x0A).map(Array.init) }
        while sum < bytes {
            var text: [UInt8] = []
            while text.count < 7_000 { text += (lines.randomElement(using: &random) ?? []) + [0x0A] }
            found.append(Doc(id: "r\(found.count)", source: "recombined", text: text))
            sum += text.count
        }
        return found
    }

    /// The best of three of each, ascending.
    private static func timed(_ texts: [WordSequence], _ body: (WordSequence) -> Void) -> [Double] {
        texts.map { text in
            (0..<3).reduce(Double.infinity) { best, _ in
                let before = monotonic()
                body(text)
                return min(best, monotonic() - before)
            }
        }.sorted()
    }

    /// One hundredth of new documents in the next snapshot: as publication does it, from the index of the one before.
    private static func append(_ path: String, _ docs: [Doc], _ bytes: Int, _ full: Double) throws {
        var texts: [String: [UInt8]] = [:]
        var size = 0
        for doc in docs.reversed() where size < bytes / 100 {
            size += doc.text.count
            // The same words in another order.
            var turned = Array("fresh ".utf8)
            for word in doc.text.split(separator: 0x20).reversed() { turned += Array(word) + [0x20] }
            texts["new\(texts.count)"] = turned
        }
        let plan = SegmentPlan().next(docs.map { SegmentPlan.Item(id: $0.id, tokens: $0.text.count / 5) })
        let fresh = texts.keys.sorted()
        let next = plan.next(
            plan.groups.joined() + fresh.map { SegmentPlan.Item(id: $0, tokens: (texts[$0]?.count ?? 0) / 5) })
        let before = try CorpusIndexBuilder(directory: path + "-plan").build(
            root: SHA256.hash(utf8: "one"), origin: SHA256.hash(utf8: "bench"), groups: plan.groups.map { $0.map(\.id) }, earlier: path
        ) { _ in nil }
        let start = monotonic()
        let after = try CorpusIndexBuilder(directory: path + "-more").build(
            root: SHA256.hash(utf8: "two"), origin: SHA256.hash(utf8: "bench"), groups: next.groups.map { $0.map(\.id) },
            earlier: path + "-plan"
        ) { texts[$0] }
        let wall = monotonic() - start
        var words = IndexedWords(try CorpusIndex(directory: path + "-more", verification: .headers))
        words.number(docs.map(\.id))
        var novelty = Novelty(after: docs.map(\.id))
        for id in fresh {
            guard let own = words.words(of: id) else { continue }
            _ = novelty.add(id: id, words: own.map(\.high), known: words.first(own, length: Novelty.shingle))
        }
        let measured = monotonic() - start
        guard before != after else { throw BenchmarkError("nothing was added") }
        row("adding 1% new documents", String(format: "%.3f s", wall), String(format: "%.2f%% of a build", wall / full * 100))
        // A first build measures what is new in every document.
        let again = monotonic()
        var all = Novelty()
        for doc in docs { _ = all.add(id: doc.id, try WordSequence(doc.text)) }
        let part = String(format: "%.2f%% of a build", measured / (full + monotonic() - again) * 100)
        row("and measuring what is new in them", String(format: "%.3f s", measured), part)
        for name in [path + "-plan", path + "-more"] { try? FileManager.default.removeItem(atPath: name) }
    }

    /// Answers of 450 words, a third of which nobody wrote: quotes of the texts, and words between.
    static func answers(_ texts: [[UInt8]], count: Int) throws -> [WordSequence] {
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

    static func lines(_ path: String) throws -> [JSONValue] {
        try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).map {
            try JSON.parse([UInt8]($0), limits: JSONLimits(depth: 8, bytes: 64 << 20, items: 1_000_000))
        }
    }
}
