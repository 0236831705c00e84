import AttributionDomain
import CorpusIndex
import Crypto
import Foundation
import JSON
import Synchronization

/// Answers attributed from their words to their shares, on two threads: by spans over 50 MB, and by influence over 10,000 rows at two
/// checkpoints. The corpus is the one of `spans` where `OPENLEDGER_SPAN_PEER` names it, or the .jsonl files of `DATASETS`, whose lines are
/// put together anew until there is enough.
enum AnswersBenchmark {
    private static let threads = 2

    static func run(rounds: Int) throws {
        var aims = Aims()
        try run(rounds: rounds, &aims)
        aims.show()
    }

    static func run(rounds: Int, _ aims: inout Aims) throws {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-answers-\(getpid())").path
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var random = SystemRandomNumberGenerator()
        let docs = CorpusIndexBenchmark.documents(try corpus().shuffled(using: &random), bytes: 50_000_000, &random)
        let path = scratch + "/index"
        try CorpusIndexBuilder(directory: path).build(
            root: SHA256.hash(utf8: "bench"), items: docs.lazy.map { CorpusItem(id: $0.id, text: $0.text) })
        let index = try CorpusIndex(directory: path, verification: .headers)
        let texts = try CorpusIndexBenchmark.answers(docs.map(\.text), count: 200)
        let bytes = docs.reduce(0) { $0 + $1.text.count }
        row("\(docs.count) items, \(bytes / 1_000_000) MB; \(threads) threads", "answers", "CPU ms each", "")
        try spans(index, docs, texts, rounds: rounds, &aims)
        // What a training of the reference's model gives, and what one of the shipped model's does, each tensor row with its own scale.
        let shipped = (0..<4).flatMap { _ in
            [192, 192, 192, 96, 192, 96, 192, 192, 192, 512, 192, 512, 512, 192].flatMap { [Int](repeating: $0, count: 4) }
        }
        for (name, columns) in [("18 tensors of 1,152", [Int](repeating: 1_152, count: 18)), ("the shipped model's, rank 4", shipped)] {
            try influence(name, columns, index, docs, texts, scratch, rounds: rounds, &aims)
        }
    }

    /// How fast answers are traced in a corpus and shared out among its owners, evidence and its hash included.
    private static func spans(
        _ index: CorpusIndex, _ docs: [CorpusIndexBenchmark.Doc], _ texts: [WordSequence], rounds: Int, _ aims: inout Aims
    ) throws {
        let items = facts(of: docs)
        var policy = AttributionPolicy()
        policy.weights = [.spans: Apportionment.whole]
        var found = 0
        for text in texts { found += try attributed(text, index, items, policy).evidence.spans?.count ?? 0 }
        let fixed = policy
        let (wall, cpu) = try best(rounds, texts.count) { _ = try attributed(texts[$0], index, items, fixed) }
        row(
            "answers of 450 words traced and shared out", thousands(Double(texts.count) / wall), String(format: "%.2f", cpu * 1e3),
            String(format: "%.1f spans", Double(found) / Double(texts.count)))
        aims.hold("answers traced and shared out by spans, two threads", Double(texts.count) / wall, atLeast: 200, "a second")
    }

    private static func attributed(
        _ text: WordSequence, _ index: CorpusIndex, _ items: SnapshotItems, _ policy: AttributionPolicy, _ influence: InfluenceInput? = nil
    ) throws -> AttributionResult {
        try Attribution.compute(
            answer: text, prompt: try WordSequence("What does the documentation say about this?"), index: index, influence: influence,
            items: items, policy: policy)
    }

    private static func influence(
        _ name: String, _ columns: [Int], _ index: CorpusIndex, _ docs: [CorpusIndexBenchmark.Doc], _ texts: [WordSequence],
        _ scratch: String, rounds: Int, _ aims: inout Aims
    ) throws {
        let rows = 10_000
        let tensors = columns.enumerated().map { InfluenceRows.Tensor(name: "t\($0.offset)", columns: $0.element) }
        let width = columns.reduce(0, +)
        var random = SystemRandomNumberGenerator()
        let noise = (0..<(width + 997)).map { _ in Float.random(in: -1...1, using: &random) }
        @Sendable func written(_ path: String, _ items: [String], from start: Int) throws -> InfluenceRows {
            var writer = try InfluenceRowsWriter(path: path, tensors: tensors)
            for (number, item) in items.enumerated() {
                let from = (number + start) % 997
                try writer.append(item: item, Array(noise[from..<from + width]))
            }
            _ = try writer.finish()
            return try InfluenceRows(path: path)
        }
        let names = (0..<rows).map { docs[$0 % docs.count].id }
        let checkpoints = try (0..<2).map { try written(scratch + "/rows-\($0)", names, from: $0 * 31) }
        defer { for number in 0..<2 { try? FileManager.default.removeItem(atPath: scratch + "/rows-\(number)") } }
        let items = facts(of: docs)
        var policy = AttributionPolicy()
        policy.weights = [.spans: Apportionment.whole / 2, .influence: Apportionment.whole / 2]
        let (fixed, count) = (policy, 16)
        let (wall, cpu) = try best(rounds, count) { number in
            // An answer's own rows are written and read as they come in.
            let scores = try checkpoints.indices.map { place in
                let path = scratch + "/answer-\(number)-\(place)"
                let query = try written(path, ["answer"], from: number)
                defer { try? FileManager.default.removeItem(atPath: path) }
                return try checkpoints[place].scores(for: query)
            }
            _ = try attributed(texts[number], index, items, fixed, InfluenceInput(checkpoints: scores))
        }
        row(
            "and by \(rows) rows × 2, \(name)", String(format: "%.1f /s", Double(count) / wall), String(format: "%.1f", cpu * 1e3),
            String(format: "%.2f µs/row", cpu / Double(2 * rows) * 1e6),
            String(format: "%.1f GB/s", Double(checkpoints.reduce(0) { $0 + $1.scanBytes }) * Double(count) / wall / 1e9))
        aims.say(
            "and by influence, \(rows) rows × 2 checkpoints of \(name)",
            String(format: "%.1f a second, %.2f µs of CPU a row and checkpoint", Double(count) / wall, cpu / Double(2 * rows) * 1e6))
    }

    private static func facts(of docs: [CorpusIndexBenchmark.Doc]) -> SnapshotItems {
        var facts: [String: ItemFacts] = [:]
        for (number, doc) in docs.enumerated() {
            facts[doc.id] = ItemFacts(owner: doc.source, position: number, tokens: doc.text.count / 5)
        }
        return SnapshotItems(facts)
    }

    /// `count` pieces of work on the threads, the best of some rounds: seconds of the clock, and seconds of CPU for each. The first failure
    /// ends it.
    private static func best(
        _ rounds: Int, _ count: Int, _ work: @escaping @Sendable (Int) throws -> Void
    ) throws -> (wall: Double, cpu: Double) {
        var (least, cpu) = (Double.infinity, Double.infinity)
        for _ in 0..<rounds {
            let failure = Failure()
            let (start, used) = (monotonic(), processCPU())
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                for number in stride(from: thread, to: count, by: threads) {
                    do { try work(number) } catch { failure.set(error) }
                }
            }
            least = min(least, monotonic() - start)
            cpu = min(cpu, (processCPU() - used) / Double(count))
            if let error = failure.error { throw error }
        }
        return (least, cpu)
    }

    private static func corpus() throws -> [CorpusIndexBenchmark.Doc] {
        let environment = ProcessInfo.processInfo.environment
        if let peer = environment["OPENLEDGER_SPAN_PEER"] { return try CorpusIndexBenchmark.corpus(peer) }
        guard let folder = environment["DATASETS"] else {
            throw BenchmarkError("name a corpus: OPENLEDGER_SPAN_PEER, or a folder of .jsonl files in DATASETS")
        }
        var docs: [CorpusIndexBenchmark.Doc] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() where file.hasSuffix(".jsonl") {
            for json in try CorpusIndexBenchmark.lines(folder + "/" + file) {
                let parts = ["text", "prompt", "completion"].compactMap { json[$0]?.stringValue }
                docs.append(
                    CorpusIndexBenchmark.Doc(
                        id: "d\(docs.count)", source: json["contributor"]?.stringValue ?? "",
                        text: Array(parts.joined(separator: "\n").utf8)))
            }
        }
        return docs
    }
}

/// The first error of several threads.
private final class Failure: Sendable {
    private let first = Mutex<(any Error)?>(nil)

    var error: (any Error)? { first.withLock { $0 } }

    func set(_ error: any Error) { first.withLock { if $0 == nil { $0 = error } } }
}
