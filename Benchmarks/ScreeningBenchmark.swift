import Blobs
import Crypto
import Foundation
import IngestDomain
import IngestParsing
import JSON
import PrivatePostgres

/// What each stage of ingest gets done on rows of a real data set and variants of them, and near-duplicate search beside
/// `datasketch`. `DATASETS` names a folder of .jsonl files; `PEER_PYTHON` a Python with datasketch.
enum ScreeningBenchmark {
    static func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = environment["DATASETS"] else {
            print("screening: DATASETS has to name a folder of .jsonl files")
            return
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }.sorted()
        var lines: [[UInt8]] = []
        for file in files {
            lines += try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file)).split(separator: 0x0a).map { Array($0) }
        }
        let upload = Array(variants(of: lines, count: 20_000).joined(separator: [0x0a]))
        print("20,000 rows, \(upload.count >> 20) MiB, of \(lines.count) rows and variants of them; one thread a stage")
        let contents = try await stage("parse .jsonl", upload.count) {
            var contents: [ItemContent] = []
            try await DocumentReader().read(BlobBytes(upload), format: .jsonl, file: "a.jsonl", columns: .standard) { rows in
                for case .content(let content) in rows { contents.append(content) }
            }
            return contents
        }
        let scanner = SecretScanner()
        let policy = ScreeningPolicy()
        let looked = try await stage("inspect: NFC, language, licence, secrets, quality", upload.count) {
            try contents.map { try ItemInspection($0, licence: nil, policy: policy, scanner: scanner) }
        }
        _ = try await stage("exact and near duplicates", upload.count) {
            var session = ScreeningSession()
            return looked.enumerated().map { session.judge("ct.\($0.offset)", $0.element) }
        }
        let blobs = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-blobs-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: blobs) }
        let keys = try OwnerKeys(masters: [try MasterKey(Random.bytes(32))], records: try FolderKeyRecords(root: blobs + "/keys"))
        let store = try SealedStore(blobs: try FolderBlobStore(root: blobs), keys: keys, space: "content", domain: .item)
        _ = try await stage("seal and keep, durably", upload.count) {
            var commitments: [Digest] = []
            for start in stride(from: 0, to: looked.count, by: 512) {
                let batch = (start..<min(start + 512, looked.count)).map { SealedItem(id: "ct.\($0)", content: looked[$0].bytes) }
                commitments += try await store.put(owner: "someone", batch)
            }
            return commitments
        }
        try await nearDuplicates(looked.map { Array($0.content.screened.utf8) }, environment["PEER_PYTHON"])
    }

    @inline(never)
    private static func stage<Result>(_ name: String, _ bytes: Int, _ body: () async throws -> [Result]) async throws -> [Result] {
        let start = monotonic()
        let result = try await body()
        let seconds = monotonic() - start
        row(
            name, thousands(Double(result.count) / seconds), String(format: "%.1f MB/s", Double(bytes) / seconds / 1e6),
            String(format: "%.2f s", seconds), widths: [52, 12, 12, 10])
        return result
    }

    /// Rows of other numbers and with some words exchanged, as a second hand would write them.
    static func variants(of lines: [[UInt8]], count: Int) -> [[UInt8]] {
        var state: UInt64 = 1
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        var all = Array(lines.prefix(count))
        while all.count < count {
            guard let row = try? JSON.parse(lines[random(lines.count)]), var object = row.objectValue else { continue }
            let share = random(40)
            for name in ["prompt", "completion", "text"] {
                guard let text = object[name]?.stringValue else { continue }
                object[name] = .string(
                    text.split(separator: " ", omittingEmptySubsequences: false).map {
                        random(100) < share ? "word\(random(5000))" : String($0)
                    }
                    .joined(separator: " "))
            }
            all.append(JSON.write(.object(object)))
        }
        return all
    }

    /// Sub-linear: the time per row at 10,000 and 100,000 rows; beside datasketch on the same shingles and threshold.
    private static func nearDuplicates(_ texts: [[UInt8]], _ python: String?) async throws {
        let profiles = texts.map { TextProfile($0) }
        for count in [10_000, 100_000] {
            var index = NearDuplicateIndex(threshold: 800)
            let start = monotonic()
            var found = 0
            for number in 0..<count {
                // Beyond the rows at hand, the same with a run of words of their own: new texts, as long as real ones.
                var words = profiles[number % profiles.count].words
                let round = number / profiles.count
                if round > 0 { for place in words.indices { words[place] &+= UInt64(round) &* 0x9e37_79b9_7f4a_7c15 } }
                if index.add("\(number)", Shingles(words)) != nil { found += 1 }
            }
            let seconds = monotonic() - start
            row(
                "near-duplicates among \(count) rows (\(found) found)", thousands(Double(count) / seconds), "",
                String(format: "%.2f s", seconds), widths: [52, 12, 12, 10])
        }
        guard let python else { return }
        try await compare(profiles.prefix(10_000).map { Shingles($0.words) }, python)
    }

    private static func compare(_ sets: [Shingles], _ python: String) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-bench-shingles-\(getpid()).txt").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try sets.map { $0.hashes.map { String($0) }.joined(separator: " ") }.joined(separator: "\n").write(
            toFile: path, atomically: true, encoding: .utf8)
        let script = """
            import sys, time, numpy
            from datasketch import MinHash, MinHashLSH
            sets = [[int(x) for x in line.split()] for line in open(sys.argv[1])]
            start = time.time()
            lsh = MinHashLSH(threshold=0.8, num_perm=128); found = []
            for n, s in enumerate(sets):
                m = MinHash(num_perm=128, hashfunc=lambda x: x)
                m.update_batch(s)
                near = lsh.query(m)
                a = set(s)
                if any(len(a & set(sets[o])) >= 0.8 * len(a | set(sets[o])) for o in near): found.append(n)
                lsh.insert(n, m)
            print(time.time() - start, *found)
            """
        let began = monotonic()
        var index = NearDuplicateIndex(threshold: 800)
        var ours: Set<Int> = []
        for (number, set) in sets.enumerated() where index.add("\(number)", set) != nil { ours.insert(number) }
        let seconds = monotonic() - began
        let outcome = try await Subprocess.run(
            [python, "-c", script, path], .init(output: .captured(limit: 1 << 20)), timeout: .seconds(600))
        let words = outcome.output.split(whereSeparator: \.isWhitespace)
        guard outcome.status.isSuccess, let first = words.first, let peer = Double(first) else {
            throw BenchmarkError("datasketch: \(outcome.output.suffix(500))")
        }
        let theirs = Set(words.dropFirst().compactMap { Int($0) })
        let truth = bruteForce(sets)
        row(
            "  ours on \(sets.count) rows, recall \(share(ours, truth))", thousands(Double(sets.count) / seconds), "",
            String(format: "%.2f s", seconds), widths: [52, 12, 12, 10])
        row(
            "  datasketch, recall \(share(theirs, truth))", thousands(Double(sets.count) / peer), ratio(peer / seconds),
            String(format: "%.2f s", peer), widths: [52, 12, 12, 10])
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
