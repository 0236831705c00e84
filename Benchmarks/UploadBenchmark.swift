import Crypto
import Foundation
import IngestDomain
import JSON

/// What a very large upload costs in memory: rows that are made as they are sent, `GIGABYTES` of them (1 when it is left out), and among
/// them a line of a gigabyte. Then half as many rows once more into the same Datanet: what that costs beside the first.
enum UploadBenchmark {
    /// Bytes that are made anew for each reading, the same every time: rows of 40 kB, and in their middle one line that is far too long.
    struct Rows: AsyncSequence, Sendable {
        typealias Element = [UInt8]
        let rows: Int
        let lineBytes: Int
        /// How many rows went before in other files: none resembles them.
        var first = 0

        struct Iterator: AsyncIteratorProtocol {
            let rows: Int
            let lineBytes: Int
            let first: Int
            var row = 0
            var line = 0

            mutating func next() async -> [UInt8]? {
                if row == rows / 2, lineBytes > 0, line <= lineBytes {
                    let count = Swift.min(1 << 20, lineBytes - line)
                    line += Swift.max(count, 1)
                    return count == 0 ? [0x0a] : [UInt8](repeating: UInt8(ascii: "x"), count: count)
                }
                guard row < rows else { return nil }
                row += 1
                return Self.made(first + row)
            }

            /// A row that resembles no other.
            private static func made(_ number: Int) -> [UInt8] {
                var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
                var text = Array(#"{"contributor":"maker","text":"Report "#.utf8) + Array("\(number).".utf8)
                while text.count < 40_000 {
                    state ^= state << 13
                    state ^= state >> 7
                    state ^= state << 17
                    text += words[Int(truncatingIfNeeded: state % UInt64(words.count))]
                }
                return text + Array("\"}\n".utf8)
            }

            private static let words: [[UInt8]] = (0..<2_000).map { number in
                let ends = ["ing", "ed", "er", "al", "tion", "ment", "ly", "or", "ance", "y"]
                let starts = [
                    "mar", "tel", "pon", "cor", "lin", "ser", "ban", "ter", "vis", "mon", "gar", "pel", "ran", "sol", "den", "fal", "hor",
                    "lat", "mis", "nor",
                ]
                let middles = ["a", "e", "i", "o", "u", "an", "en", "in", "on", "er"]
                return Array(" \(starts[number % 20])\(middles[number / 20 % 10])\(ends[number / 200])".utf8)
            }
        }

        func makeAsyncIterator() -> Iterator { Iterator(rows: rows, lineBytes: lineBytes, first: first) }
    }

    static func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let gigabytes = Double(environment["GIGABYTES"] ?? "") ?? 1
        let line = Int(min(gigabytes / 2, 1) * 1e9)
        let rows = Rows(rows: Int((gigabytes * 1e9 - Double(line)) / 40_020), lineBytes: line)
        let (bytes, hash) = await measured(rows)
        let more = Rows(rows: rows.rows / 2, lineBytes: 0, first: rows.rows)
        let (moreBytes, moreHash) = await measured(more)
        let house = try await ProgramHouse.start()
        var failure: (any Error)?
        do {
            let datanet = try await house.createDatanet("large")
            let idle = house.kibibytes("VmHWM")
            print("an upload of \(bytes / 1_000_000) MB, with one line of \(line / 1_000_000) MB; the program idle: \(idle >> 10) MiB")
            try await bring(rows, bytes, hash, to: datanet, house)
            print("and \(moreBytes / 1_000_000) MB more to the same Datanet")
            try await bring(more, moreBytes, moreHash, to: datanet, house)
        } catch { failure = error }
        await house.stop()
        if let failure { throw failure }
    }

    private static func measured(_ rows: Rows) async -> (bytes: Int, hash: Digest) {
        let hasher = SHA256Hasher()
        var bytes = 0
        for await piece in rows {
            hasher.update(piece)
            bytes += piece.count
        }
        return (bytes, hasher.finish())
    }

    private static func bring(_ rows: Rows, _ bytes: Int, _ hash: Digest, to datanet: String, _ house: ProgramHouse) async throws {
        var start = monotonic()
        let id = try await house.upload(datanet, bytes: bytes, hash: hash, kind: .own, rows)
        report("sent and sealed", bytes, monotonic() - start, house)
        start = monotonic()
        let done = try await house.screen(id)
        report("screened, sealed and on the log", bytes, monotonic() - start, house)
        print("  \(done["accepted"]?.intValue ?? 0) rows accepted, \(done["rejected"]?.intValue ?? 0) refused")
    }

    private static func report(_ name: String, _ bytes: Int, _ seconds: Double, _ house: ProgramHouse) {
        row(
            "  " + name, String(format: "%.1f MB/s", Double(bytes) / seconds / 1e6), String(format: "%.1f s", seconds),
            "peak \(house.kibibytes("VmHWM") >> 10) MiB", widths: [40, 14, 12, 16])
    }
}
