import Crypto
import Foundation
import JSON

/// Real rows and variants of them, 20,000 in all, brought in, screened, admitted and published through the REST interface of the real
/// program. `DATASETS` names a folder of .jsonl files, each of which becomes a Datanet; `ROWS` how many rows there are in all.
enum IngestBenchmark {
    static func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = environment["DATASETS"] else {
            print("ingest: DATASETS has to name a folder of .jsonl files")
            return
        }
        let all = Int(environment["ROWS"] ?? "") ?? 20_000
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".jsonl") }.sorted()
        var sets: [(name: String, lines: [[UInt8]])] = []
        for file in files {
            let lines = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file)).split(separator: 0x0a).map { Array($0) }
            sets.append((String(file.dropLast(6)), lines))
        }
        let real = sets.reduce(0) { $0 + $1.lines.count }
        let uploads = sets.map { set in
            Array(ScreeningBenchmark.variants(of: set.lines, count: set.lines.count * all / real).joined(separator: [0x0a]))
        }
        let bytes = uploads.reduce(0) { $0 + $1.count }
        let house = try await ProgramHouse.start()
        var failure: (any Error)?
        do { try await measure(house, sets.map(\.name), uploads, bytes) } catch { failure = error }
        await house.stop()
        if let failure { throw failure }
    }

    private static func measure(_ house: ProgramHouse, _ names: [String], _ uploads: [[UInt8]], _ bytes: Int) async throws {
        var datanets: [String] = []
        for name in names { datanets.append(try await house.createDatanet(String(name.prefix { $0 != "-" }))) }
        let processor = house.processorSeconds()
        let begun = monotonic()
        var (items, accepted, times) = (0, 0, [Double](repeating: 0, count: 4))
        for (datanet, upload) in zip(datanets, uploads) {
            let start = monotonic()
            let pieces = stride(from: 0, to: upload.count, by: 1 << 18).map { Array(upload[$0..<min(upload.count, $0 + 1 << 18)]) }
            let stream = AsyncStream { continuation in
                for piece in pieces { continuation.yield(piece) }
                continuation.finish()
            }
            let id = try await house.upload(datanet, bytes: upload.count, hash: SHA256.hash(upload), stream)
            let sent = monotonic()
            let done = try await house.screen(id)
            let screened = monotonic()
            let taken = Int(done["accepted"]?.intValue ?? 0)
            while Int(try await house.get("/v1/datanets/\(datanet)").json["items"]?.intValue ?? 0) < taken {
                try await Task.sleep(for: .milliseconds(10))
            }
            let admitted = monotonic()
            _ = try await house.post("/v1/datanets/\(datanet)/snapshots", .object(JSONObject()))
            items += Int(done["items"]?.intValue ?? 0)
            accepted += taken
            for (place, time) in [sent - start, screened - sent, admitted - screened, monotonic() - admitted].enumerated() {
                times[place] += time
            }
        }
        let seconds = monotonic() - begun
        print("\(items) rows, \(bytes >> 20) MiB, into \(datanets.count) Datanets by REST; \(accepted) accepted")
        func line(_ name: String, _ seconds: Double) {
            row(
                name, thousands(Double(items) / seconds), String(format: "%.1f MB/s", Double(bytes) / seconds / 1e6),
                String(format: "%.2f s", seconds), widths: [52, 12, 12, 10])
        }
        for (name, time) in zip(["upload", "screening, sealed and durable", "admission, in the read model", "snapshot published"], times) {
            line("  " + name, time)
        }
        line("all of it", seconds)
        print(
            String(
                format: "  the program used %.1f s of processor time and at most %d MiB of memory", house.processorSeconds() - processor,
                house.kibibytes("VmHWM") >> 10))
        let start = monotonic()
        let export = try await house.get("/v1/datanets/\(datanets[0])/snapshots/1/items?purpose=read")
        row(
            "export of the first with its content", "", String(format: "%.1f MB/s", Double(export.bytes) / (monotonic() - start) / 1e6),
            String(format: "%.2f s", monotonic() - start), widths: [52, 12, 12, 10])
    }
}
