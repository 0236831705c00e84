import AttributionDomain
import CorpusIndex
import Crypto
import Foundation
import JSON

/// The corpus index beside infini-gram's engine: same corpus, same tokens, same queries, in one run; then by words alone, an addition, the
/// scan of influence rows, and answers shared out. See Benchmarks/README.md for how the folder that `OPENLEDGER_SPAN_PEER` names is made.
enum CorpusIndexBenchmark {
    struct Doc {
        let id: String
        let source: String
        let text: [UInt8]
    }

    static func run(rounds: Int) throws {
        let peer = try SpanPeer()
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-spans-\(getpid())").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var aims = Aims()
        try tokens(peer, scratch, &aims)
        try words(peer.folder, scratch, &aims)
        try influence(scratch, &aims)
        try AnswersBenchmark.run(rounds: rounds, &aims)
        aims.show()
    }

    // MARK: Words

    /// The documents of the peer's corpus.
    static func corpus(_ peer: String) throws -> [Doc] {
        try lines(peer + "/corpus/corpus.jsonl").enumerated().map { number, json in
            Doc(id: "d\(number)", source: json["source"]?.stringValue ?? "", text: Array((json["text"]?.stringValue ?? "").utf8))
        }
    }

    private static func words(_ peer: String, _ scratch: String, _ aims: inout Aims) throws {
        let docs = try corpus(peer)
        row("by words", "MB", "build s", "bytes/byte", "trace 450", "count")
        var random = SystemRandomNumberGenerator()
        let order = docs.shuffled(using: &random)
        // Ours alone beyond the peer's corpus: lines of it in new documents.
        let largest = Int(ProcessInfo.processInfo.environment["OPENLEDGER_SPAN_MEGABYTES"] ?? "") ?? 500
        var grown: [(bytes: Double, trace: Double)] = []
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
            grown.append((Double(bytes), times[times.count / 2]))
            if size == 102 { try append(path, part, &aims) }
            try? FileManager.default.removeItem(atPath: path)
        }
        guard let first = grown.first else { return }
        for one in grown.dropFirst() {
            aims.hold(
                "a trace over \(Int(one.bytes / 1e6)) MB beside \(Int(first.bytes / 1e6)) MB", one.trace / first.trace,
                atMost: log(one.bytes) / log(first.bytes))
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

    private static func influence(_ scratch: String, _ aims: inout Aims) throws {
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
        aims.hold("the influence scan beside a plain read", read / scan * 100, atLeast: 60, "%")
    }

    static func lines(_ path: String) throws -> [JSONValue] {
        try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).map {
            try JSON.parse([UInt8]($0), limits: JSONLimits(depth: 8, bytes: 64 << 20, items: 1_000_000))
        }
    }
}
