internal import Crypto
internal import Engine
internal import Events
internal import Foundation
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Threads

/// A look at the attribution rows of another engine: whose they are said to be must be what the snapshots say, the factors must be of the
/// adapter that was handed in, and a sample of rows must come out with them.
struct RowsCheck: Sendable {
    let work: TrainingDesk.Work
    let tuning: FineTuning
    let model: ServedModel
    /// The job's rows, as this runner reads them.
    let rows: JobRows

    /// How many rows are computed again, drawn anew each time.
    private static let sample = 8
    /// How far apart rows of two engines may be that measure with the same factors: rounding to int8 and another order of sums leave less.
    private static let farthest = 0.1

    /// Whether they hold; true where there are none.
    func run() async throws -> Bool {
        guard let digest = work.rows else { return true }
        do { return try await isSound(digest) } catch {
            if JobFault.isPassing(error) { throw error }
            let reason = "\(error)"
            tuning.logger.info("attribution rows don't hold", ["job": .string(tuning.order.job), "reason": .string(reason)])
            return false
        }
    }

    private func isSound(_ digest: Digest) async throws -> Bool {
        let peers = tuning.desk.peers, place = tuning.library.folder + "/rows"
        let folder = try await ArtefactFetch(peers: peers, folder: place).folder(of: digest.prefixed)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let base = model.model
        let (factors, index, bytes) = try await OSThread.run(name: "attribution rows") {
            (
                try InfluenceFactors(path: folder + "/factors.safetensors", model: base),
                try JSON.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/rows.json")))),
                try Self.bytes(folder)
            )
        }
        guard let adapter = try await tuning.library.adapter(work.adapter, on: model.name), factors.end(at: adapter) else {
            throw EngineError.badWeights("the factors were measured on another adapter")
        }
        guard index["factors"] == .digest(factors.digest) else { throw EngineError.badWeights("the rows name other factors") }
        let places = index["rows"]?.arrayValue ?? []
        guard places.count >= rows.training.count, places.dropFirst(rows.training.count).allSatisfy({ $0["owner"] == nil }) else {
            throw EngineError.badWeights("\(rows.training.count) rows were learned from, and \(places.count) were handed in")
        }
        for (row, entry) in zip(rows.training, places) {
            guard entry["item"] == .string(row.item), entry["owner"] == .string(row.owner), entry["datanet"] == .string(row.datanet) else {
                throw EngineError.badWeights("a row of \(row.item) is said to be another's")
            }
        }
        let drawn = rows.training.indices.shuffled().prefix(Self.sample)
        let again = try await factors.rows(drawn.map { rows.training[$0].example }, role: .training, pool: tuning.pool)
        for (number, made) in zip(drawn, again) {
            let told = try InfluenceRow(bytes: try Self.part(bytes, places[number]))
            guard told.role == .training, told.factors == factors.digest, told.distance(from: made) <= Self.farthest else {
                throw EngineError.badWeights("the row of \(rows.training[number].item) does not come out with the factors")
            }
        }
        return true
    }

    /// The rows of all files, one after another.
    private static func bytes(_ folder: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var number = 0
        repeat {
            bytes += [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + RowFiles.name(number))))
            number += 1
        } while FileManager.default.fileExists(atPath: folder + "/" + RowFiles.name(number))
        return bytes
    }

    private static func part(_ bytes: [UInt8], _ entry: JSONValue) throws -> [UInt8] {
        let fields = try entry.object()
        let (offset, length) = (try fields.int("offset", in: 0...bytes.count), try fields.int("length", in: 0...bytes.count))
        guard offset + length <= bytes.count else { throw EngineError.badWeights("a row lies outside of its file") }
        return Array(bytes[offset..<offset + length])
    }
}
