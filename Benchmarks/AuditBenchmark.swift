import Crypto
import EventLog
import Events
import Foundation

/// The whole log verified from a bundle on this machine: a million events of 500 bytes.
enum AuditBenchmark {
    static func run(_ options: BenchOptions) async throws {
        let count = 1_000_000
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-audit-\(getpid())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = try write(count, to: folder)
        let source = FolderLogSource(folder.path)
        for threads in [1, 2] {
            let before = HTTPBenchmark.residentBytes()
            let cpu = processCPU()
            let start = monotonic()
            let trust = try LogTrust(keys: [key])
            let report = try await LogAudit(source, trust: trust, threads: threads).run()
            let seconds = monotonic() - start
            let used = processCPU() - cpu
            guard report.fault == nil, report.checkpoint?.size == UInt64(count) else {
                throw BenchmarkError("the audit found \(String(describing: report.fault))")
            }
            row(
                "audit, \(threads) thread\(threads == 1 ? "" : "s")", thousands(Double(count) / seconds),
                thousands(Double(count) / used) + "/core",
                "", "+\((HTTPBenchmark.residentBytes() - before) >> 20) MiB")
        }
        row("  beside what is wanted of one core", "250.0 k/s")
    }

    /// A bundle, made without a database.
    private static func write(_ count: Int, to folder: URL) throws -> VerifierKey {
        guard let signer = NoteSigner(name: "bench.example/log", key: try Ed25519PrivateKey.generate()) else {
            throw BenchmarkError("no key")
        }
        var builder = TileBuilder()
        var bundle: [UInt8] = []
        func put(_ bytes: [UInt8], _ path: String) throws {
            let file = folder.appendingPathComponent(path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        for start in stride(from: 0, to: count, by: 50_000) {
            for event in try LogBench.events(min(50_000, count - start), tag: "x\(start)") {
                EntryBundle.append(event, to: &bundle)
                builder.append(Merkle.leaf(event))
                for full in builder.takeCompleted() {
                    try put(full.hashes, full.tile.path)
                    if full.tile.level == 0 {
                        try put(bundle, full.tile.bundlePath)
                        bundle.removeAll(keepingCapacity: true)
                    }
                }
            }
        }
        for (tile, hashes) in builder.partialTiles {
            try put(hashes, tile.path)
            if tile.level == 0 { try put(bundle, tile.bundlePath) }
        }
        let checkpoint = Checkpoint(origin: "bench.example/log", size: builder.size, root: builder.root)
        try put(Array(try SignedCheckpoint(signing: checkpoint, by: [signer]).note.encoded.utf8), "checkpoint")
        return signer.verifier
    }
}
