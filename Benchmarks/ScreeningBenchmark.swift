import Blobs
import Crypto
import Foundation
import IngestDomain
import IngestParsing
import JSON

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
        try await NearDuplicateBenchmark.run(looked.map { TextProfile(Array($0.content.screened.utf8)).words }, environment["PEER_PYTHON"])
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
}
