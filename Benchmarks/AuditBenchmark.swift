import Crypto
import EventLog
import Events
import Foundation
import PrivatePostgres

/// The whole log verified from a bundle on this machine: events of 500 bytes, a quarter of a million and a million of them. Each audit is a
/// process of its own, so that its greatest memory is its own.
enum AuditBenchmark {
    private static let wanted = 250_000.0

    static func run(_ options: BenchOptions) async throws {
        var peaks: [Int: [Int]] = [:]
        for count in [250_000, 1_000_000] {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-audit-\(getpid())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let key = try write(count, to: folder)
            for threads in [1, 2] {
                var environment = ProcessInfo.processInfo.environment
                environment["AUDIT_FOLDER"] = folder.path
                environment["AUDIT_KEY"] = key.description
                environment["AUDIT_THREADS"] = "\(threads)"
                environment["AUDIT_SIZE"] = "\(count)"
                let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
                let outcome = try await Subprocess.run([program, "audit-once"], .init(environment: environment), timeout: .seconds(600))
                let figures = outcome.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
                guard outcome.status.isSuccess, figures.count == 3 else {
                    throw BenchmarkError("the audit said: \(outcome.output) \(outcome.errors)")
                }
                let perCore = Double(count) / figures[1]
                peaks[threads, default: []].append(Int(figures[2]))
                row(
                    "audit of \(count), \(threads) thread\(threads == 1 ? "" : "s")", thousands(Double(count) / figures[0]),
                    thousands(perCore) + "/core", ratio(perCore / wanted), "\(Int(figures[2]) >> 10) MiB")
            }
        }
        row("  beside what is wanted of one core", thousands(wanted))
        for (threads, peaks) in peaks.sorted(by: { $0.key < $1.key }) where peaks.count == 2 {
            let name = "  memory with four times the events, \(threads) thread\(threads == 1 ? "" : "s")"
            row(name, ratio(Double(peaks[1]) / Double(peaks[0])))
        }
    }

    /// One audit, in a process of its own: prints seconds, seconds of CPU, and the most KiB that were ever resident.
    static func runOnce() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = environment["AUDIT_FOLDER"], let key = try environment["AUDIT_KEY"].map(VerifierKey.init(vkey:)),
            let threads = environment["AUDIT_THREADS"].flatMap({ Int($0) }), let size = environment["AUDIT_SIZE"].flatMap({ UInt64($0) })
        else { throw BenchmarkError("audit-once is for the audit benchmark alone") }
        let (cpu, start) = (processCPU(), monotonic())
        let report = try await LogAudit(FolderLogSource(folder), trust: try LogTrust(keys: [key]), threads: threads).run()
        let (seconds, used) = (monotonic() - start, processCPU() - cpu)
        guard report.fault == nil, report.checkpoint?.size == size else {
            throw BenchmarkError("the audit found \(String(describing: report.fault))")
        }
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace).dropFirst().first
        print(seconds, used, peak ?? "")
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
