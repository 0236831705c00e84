import Foundation
import IngestDomain
import IngestService
import PrivatePostgres

/// Near-duplicate search: how a look-up's cost grows with the rows that there are, and beside datasketch on the same shingles.
enum NearDuplicateBenchmark {
    /// - Parameters:
    ///   - texts: words of real rows and variants of them.
    ///   - python: a Python with datasketch; nil leaves it out.
    static func run(_ texts: [[UInt64]], _ python: String?) async throws {
        let few = try grown(texts, to: 10_000)
        let many = try grown(texts, to: 100_000)
        if let few, let many {
            row(
                "  a look-up among ten times as many rows takes", ratio(many.search / few.search), "", "linear: 10",
                widths: [52, 12, 12, 12])
            row(
                "  and a comparison with every row", ratio(many.exhaustive / few.exhaustive), "",
                "\(micro(many.exhaustive))", widths: [52, 12, 12, 12])
        }
        guard let python else { return }
        try await compare(texts.prefix(10_000).map { Shingles($0) }, python)
    }

    private struct Cost {
        /// Seconds of a look-up by the index.
        let search: Double
        /// Seconds of comparing with every row.
        let exhaustive: Double
    }

    /// Fills an index, and looks up rows that it does not hold: variants of rows that it does, and new ones.
    private static func grown(_ texts: [[UInt64]], to count: Int) throws -> Cost? {
        var index = NearDuplicateIndex(threshold: 800, store: try SketchFile(folder: NSTemporaryDirectory()))
        let sets = (0..<count).map { Shingles(text($0, texts)) }
        var start = monotonic()
        var found = 0
        for (number, set) in sets.enumerated() where index.add("\(number)", set) != nil { found += 1 }
        let filled = monotonic() - start
        let probes = (0..<4_000).map { number -> Shingles in
            var words = text(number % 2 == 0 ? number * (count / 4_000) : count + number, texts)
            if let last = words.indices.last { words[last] &+= 1 }
            return Shingles(words)
        }
        start = monotonic()
        let hits = probes.count { index.match($0) != nil }
        let search = (monotonic() - start) / Double(probes.count)
        start = monotonic()
        let some = probes.prefix(20)
        let near = some.count { probe in sets.contains { $0.resemblance(probe) >= 800 } }
        let exhaustive = (monotonic() - start) / Double(some.count)
        row(
            "near-duplicates among \(count) rows (\(found) found)", thousands(Double(count) / filled),
            "\(index.bytes / count) B a row", String(format: "%.2f s", filled), widths: [52, 12, 12, 12])
        row(
            "  one look-up (\(hits) of \(probes.count) resemble some row; \(near) of \(some.count))", micro(search), "", "",
            widths: [52, 12, 12, 12])
        return search > 0 && exhaustive > 0 ? Cost(search: search, exhaustive: exhaustive) : nil
    }

    /// Beyond the rows at hand, the same in words of their own: new texts, as long as real ones.
    private static func text(_ number: Int, _ texts: [[UInt64]]) -> [UInt64] {
        let round = UInt64(number / texts.count)
        let words = texts[number % texts.count]
        return round == 0 ? words : words.map { $0 &+ round &* 0x9e37_79b9_7f4a_7c15 }
    }

    private static func compare(_ sets: [Shingles], _ python: String) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-shingles-\(getpid()).txt").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try sets.map { $0.hashes.map { String($0) }.joined(separator: " ") }.joined(separator: "\n").write(
            toFile: path, atomically: true, encoding: .utf8)
        let began = monotonic()
        var index = NearDuplicateIndex(threshold: 800, store: try SketchFile(folder: NSTemporaryDirectory()))
        var ours: Set<Int> = []
        for (number, set) in sets.enumerated() where index.add("\(number)", set) != nil { ours.insert(number) }
        let seconds = monotonic() - began
        let truth = bruteForce(sets)
        row(
            "  ours on \(sets.count) rows, recall \(share(ours, truth))", thousands(Double(sets.count) / seconds), "",
            String(format: "%.2f s", seconds), widths: [52, 12, 12, 10])
        // As it sets itself up for the threshold, and with as many bands as it takes to find what ours finds.
        for bands in ["", "32,4"] {
            let peer = try await datasketch(python, path, bands)
            row(
                "  datasketch\(bands.isEmpty ? "" : ", \(bands) bands and rows"), recall \(share(peer.found, truth))",
                thousands(Double(sets.count) / peer.seconds), ratio(peer.seconds / seconds), String(format: "%.2f s", peer.seconds),
                widths: [52, 12, 12, 10])
        }
    }

    /// - Parameter bands: how many bands of how many rows; empty for what datasketch makes of the threshold.
    private static func datasketch(_ python: String, _ path: String, _ bands: String) async throws -> (seconds: Double, found: Set<Int>) {
        let script = """
            import sys, time, numpy
            from datasketch import MinHash, MinHashLSH
            sets = [[int(x) for x in line.split()] for line in open(sys.argv[1])]
            start = time.time()
            bands = tuple(int(x) for x in sys.argv[2].split(",")) if sys.argv[2] else None
            lsh = MinHashLSH(threshold=0.8, num_perm=128, params=bands); found = []
            for n, s in enumerate(sets):
                m = MinHash(num_perm=128, hashfunc=lambda x: x)
                m.update_batch(s)
                near = lsh.query(m)
                a = set(s)
                if any(len(a & set(sets[o])) >= 0.8 * len(a | set(sets[o])) for o in near): found.append(n)
                lsh.insert(n, m)
            print(time.time() - start, *found)
            """
        let outcome = try await Subprocess.run(
            [python, "-c", script, path, bands], .init(output: .captured(limit: 1 << 20)), timeout: .seconds(600))
        let words = outcome.output.split(whereSeparator: \.isWhitespace)
        guard outcome.status.isSuccess, let first = words.first, let seconds = Double(first) else {
            throw BenchmarkError("datasketch: \(outcome.output.suffix(500))")
        }
        return (seconds, Set(words.dropFirst().compactMap { Int($0) }))
    }

    private static func share(_ found: Set<Int>, _ truth: Set<Int>) -> String {
        truth.isEmpty ? "-" : String(format: "%.4f", Double(found.intersection(truth).count) / Double(truth.count))
    }

    /// Every row against all before it.
    private static func bruteForce(_ sets: [Shingles]) -> Set<Int> {
        var truth: Set<Int> = []
        for number in sets.indices {
            let size = sets[number].hashes.count
            for other in 0..<number {
                let theirs = sets[other].hashes.count
                // Sets of such different sizes cannot resemble.
                if min(size, theirs) * 1000 < max(size, theirs) * 800 { continue }
                if sets[other].resemblance(sets[number]) >= 800 {
                    truth.insert(number)
                    break
                }
            }
        }
        return truth
    }
}
