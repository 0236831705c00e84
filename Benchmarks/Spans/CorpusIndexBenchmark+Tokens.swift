import AttributionDomain
import CorpusIndex
import Foundation
import JSON

/// Ours and infini-gram's on the same tokens, with the same queries, one after the other in this run.
extension CorpusIndexBenchmark {
    private static let kinds = ["450-ooc", "450-stitched"]

    static func tokens(_ peer: SpanPeer, _ scratch: String, _ aims: inout Aims) throws {
        let all = try tokenized(peer)
        let total = all.reduce(0) { $0 + $1.tokens.count + 1 }
        let build = try JSON.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: peer.folder + "/index_bpe/build.json"))))
        let text = build["utf8_bytes"]?.doubleValue ?? 1
        let runs = try lines(peer.folder + "/workload/ngrams.jsonl").map(ids)
        let traces = try lines(peer.folder + "/workload/traces.jsonl")
        var growth: [(bytes: Double, ours: Double, theirs: Double)] = []
        let sizes = [10e6, 50e6, text].filter { $0 <= text }
        for size in sizes {
            let isWhole = size == text
            // Apart from both indexes: its folder's name must not look like a file of its own.
            let place = scratch + "/peer-\(Int(size / 1e6))"
            let theirs = try peer.make(tokens: Int(Double(total) * size / text), into: place)
            let items = Array(all.prefix(theirs.documents))
            let bytes = text * Double(theirs.tokens) / Double(total)
            let path = scratch + "/tokens-\(Int(size / 1e6))"
            let (start, cpu) = (monotonic(), processCPU())
            try TokenIndex.build(items: items, vocabulary: 32_000, to: path)
            let (wall, used) = (monotonic() - start, processCPU() - cpu)
            let index = try TokenIndex(path: path)
            row(String(format: "%.0f MB, the same tokens as infini-gram", bytes / 1e6), "ours", "peer", "ratio")
            line("build, s by the clock", wall, theirs.seconds)
            line("build, s of CPU", used, theirs.cpu)
            line("index bytes per text byte", Double(index.bytes) / bytes, theirs.bytes / bytes)

            let mine = counts(index, runs)
            let answers = try peer.ask(place, cap: 10, texts: isWhole ? 100 : 30, rounds: 3, kinds: ["counts"] + kinds)
            let differing = zip(mine.counts, answers.counts).count { $0 != $1 } + abs(mine.counts.count - answers.counts.count)
            line("count, µs p50, hot", mine.p50, answers.time("count_us"))
            line("count, µs p99, hot", mine.p99, answers.time("count_us", "p99"))
            row("counts that differ, of \(runs.count)", String(differing))
            growth.append((bytes, mine.p50, answers.time("count_us") ?? 0))
            var ratios: [Double] = []
            for kind in kinds {
                let half = trace(index, traces, kind, cap: 10, texts: isWhole ? 100 : 30, rounds: 3)
                line("trace \(kind), cap 10, µs p50", half, answers.time(kind))
                ratios.append((answers.time(kind) ?? 0) / half)
            }
            if isWhole {
                aims.hold("build beside infini-gram, by the clock", theirs.seconds / wall, atLeast: 1)
                aims.hold("index bytes per text byte, of infini-gram's", Double(index.bytes) / theirs.bytes, atMost: 1)
                aims.hold("counts that differ, of \(runs.count)", Double(differing), atMost: 0, "")
                aims.hold("a count, hot p50, beside infini-gram", (answers.time("count_us") ?? 0) / mine.p50, atLeast: 10)
                aims.hold("an answer of 450 tokens at a cap of 10, the worse of two kinds", ratios.min() ?? 0, atLeast: 20)
                try wide(peer, place, index, traces, &aims)
            }
            for name in [place, path] { try? FileManager.default.removeItem(atPath: name) }
        }
        if let first = growth.first, let last = growth.last, growth.count > 1 {
            row("from \(Int(first.bytes / 1e6)) to \(Int(last.bytes / 1e6)) MB", "ours", "peer", "logarithm")
            row(
                "a count takes so many times as long", ratio(last.ours / first.ours), ratio(last.theirs / first.theirs),
                ratio(log(last.bytes) / log(first.bytes)))
        }
    }

    /// At the cap that OLMoTrace runs with.
    private static func wide(_ peer: SpanPeer, _ place: String, _ index: TokenIndex, _ traces: [JSONValue], _ aims: inout Aims) throws {
        let (cap, texts) = (1_000_000, 7)
        let answers = try peer.ask(place, cap: cap, texts: texts, rounds: 1, kinds: kinds)
        var ratios: [Double] = []
        for kind in kinds {
            let half = trace(index, traces, kind, cap: cap, texts: texts, rounds: 1)
            line("trace \(kind), cap \(cap), µs p50", half, answers.time(kind))
            ratios.append((answers.time(kind) ?? 0) / half)
        }
        aims.hold("the same at OLMoTrace's cap of \(cap)", ratios.min() ?? 0, atLeast: 300)
    }

    private static func counts(_ index: TokenIndex, _ runs: [[UInt32]]) -> (counts: [Int], p50: Double, p99: Double) {
        let counts = runs.map { index.count($0) }
        let times = runs.shuffled().map { run in
            (0..<3).reduce(Double.infinity) { best, _ in
                let before = monotonic()
                _ = index.count(run)
                return min(best, monotonic() - before)
            }
        }.sorted()
        return (counts, times[times.count / 2] * 1e6, times[times.count * 99 / 100] * 1e6)
    }

    /// All maximal spans, of one token already, and up to ten items of each that occurs at most as often as the cap; microseconds.
    private static func trace(
        _ index: TokenIndex, _ traces: [JSONValue], _ kind: String, cap: Int, texts: Int, rounds: Int
    ) -> Double {
        let parts = kind.split(separator: "-").map(String.init)
        let chosen = traces.filter { $0["L"]?.intValue.map(String.init) == parts[0] && $0["kind"]?.stringValue == parts[1] }.prefix(texts)
            .map(ids)
        for text in chosen.prefix(3) { _ = index.maximalSpans(text, minimumTokens: 1, occurrenceLimit: cap, itemLimit: 10) }
        let times = chosen.map { text in
            (0..<rounds).reduce(Double.infinity) { best, _ in
                let before = monotonic()
                _ = index.maximalSpans(text, minimumTokens: 1, occurrenceLimit: cap, itemLimit: 10)
                return min(best, monotonic() - before)
            }
        }.sorted()
        return times[times.count / 2] * 1e6
    }

    private static func ids(_ json: JSONValue) -> [UInt32] { (json["ids"]?.arrayValue ?? []).map { UInt32($0.intValue ?? 0) } }

    private static func tokenized(_ peer: SpanPeer) throws -> [(id: String, tokens: [UInt32])] {
        let raw = try Data(contentsOf: URL(fileURLWithPath: peer.folder + "/index_bpe/tokenized.0"))
        var items: [(id: String, tokens: [UInt32])] = []
        raw.withUnsafeBytes { bytes in
            for index in 0..<bytes.count / 2 {
                let token = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
                if token == .max { items.append(("d\(items.count)", [])) } else { items[items.count - 1].tokens.append(UInt32(token)) }
            }
        }
        return items
    }

    private static func line(_ name: String, _ ours: Double, _ peer: Double?) {
        row(
            name, String(format: "%.3f", ours), peer.map { String(format: "%.3f", $0) } ?? "-",
            peer.map { String(format: "%.2fx", $0 / ours) } ?? "-")
    }
}
