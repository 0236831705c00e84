import AttributionDomain
import CorpusIndex
import Crypto
import Foundation

/// One hundredth of new documents in the next snapshot, as publication does it: from the index of the one before, which is open for answers,
/// and with what is new in each. Beside the first build of the same documents, measured likewise.
extension CorpusIndexBenchmark {
    private static let rounds = 3

    static func append(_ path: String, _ docs: [Doc], _ aims: inout Aims) throws {
        let (first, fresh) = (docs.map(\.id), turned(docs, bytes: docs.reduce(0) { $0 + $1.text.count } / 100))
        let known = Dictionary(docs.map { ($0.id, $0.text) }) { first, _ in first }
        let plan = SegmentPlan().next(docs.map { SegmentPlan.Item(id: $0.id, tokens: $0.text.count / 5) })
        let next = plan.next(
            plan.groups.joined() + fresh.sorted { $0.key < $1.key }.map { SegmentPlan.Item(id: $0.key, tokens: $0.value.count / 5) })
        let origin = SHA256.hash(utf8: "bench")
        func build(_ name: String, _ plan: SegmentPlan, from earlier: String?) throws -> (digest: Digest, seconds: Double) {
            let start = monotonic()
            let digest = try CorpusIndexBuilder(directory: path + name).build(
                root: SHA256.hash(utf8: name), origin: origin, groups: plan.groups.map { $0.map(\.id) }, earlier: earlier
            ) { known[$0] ?? fresh[$0] }
            return (digest, monotonic() - start)
        }
        let whole = try build("-first", plan, from: nil)
        var start = monotonic()
        let words = IndexedWords(try CorpusIndex(directory: path + "-first", verification: .headers))
        var all = Novelty()
        for id in first { if let own = words.words(of: id) { _ = all.add(id: id, words: own.map(\.high)) } }
        let measuring = monotonic() - start
        // As the first answer has it opened and checked.
        _ = try CorpusIndex(directory: path + "-first")

        var (files, novelty) = (Double.infinity, Double.infinity)
        for _ in 0..<rounds {
            let added = try build("-next", next, from: path + "-first")
            guard added.digest != whole.digest else { throw BenchmarkError("nothing was added") }
            start = monotonic()
            var words = IndexedWords(try CorpusIndex(directory: path + "-next", verification: .headers))
            words.number(first)
            var more = Novelty(after: first)
            for id in fresh.keys.sorted() {
                guard let own = words.words(of: id) else { continue }
                _ = more.add(id: id, words: own.map(\.high), known: words.first(own, length: Novelty.shingle))
            }
            let measured = monotonic() - start
            if added.seconds + measured < files + novelty { (files, novelty) = (added.seconds, measured) }
            try? FileManager.default.removeItem(atPath: path + "-next")
        }
        try? FileManager.default.removeItem(atPath: path + "-first")
        row("", "files, s", "what is new, s")
        row("a first build of \(docs.count) documents", String(format: "%.3f", whole.seconds), String(format: "%.3f", measuring))
        row("and \(fresh.count) more, 1%", String(format: "%.3f", files), String(format: "%.3f", novelty))
        aims.hold("adding 1% new documents, of a full build: files alone", files / whole.seconds * 100, atMost: 3, "%")
        aims.hold(
            "the same with measuring what is new", (files + novelty) / (whole.seconds + measuring) * 100, atMost: 3, "%")
    }

    /// Documents of so many bytes, of the same words in another order.
    private static func turned(_ docs: [Doc], bytes: Int) -> [String: [UInt8]] {
        var texts: [String: [UInt8]] = [:]
        var size = 0
        for doc in docs.reversed() where size < bytes {
            size += doc.text.count
            var turned = Array("fresh ".utf8)
            for word in doc.text.split(separator: 0x20).reversed() { turned += Array(word) + [0x20] }
            texts["new\(texts.count)"] = turned
        }
        return texts
    }
}
