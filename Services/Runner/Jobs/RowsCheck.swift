internal import Crypto
internal import Engine
internal import Events
internal import Foundation
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Threads

/// A look at the attribution rows of another engine: whose they are said to be must be what the snapshots say, the canaries must be those of
/// the job, the factors must be of the adapter that was handed in and what its rows give, and a sample of rows must come out with them.
struct RowsCheck: Sendable {
    let work: TrainingDesk.Work
    let tuning: FineTuning
    let model: ServedModel
    /// The job's rows, as this runner reads them.
    let rows: JobRows

    /// How many rows of training items, and how many canaries, are computed again, drawn anew each time.
    private static let sample = 8
    /// How far apart rows of two engines may be that measure with the same factors: rounding to int8 and another order of sums leave less.
    private static let farthest = 0.1
    /// By how much a row may be longer or shorter than it is: a longer one earns more.
    private static let stretch = 0.02
    /// How far from orthonormal a basis may be in single precision.
    private static let skew = 0.01
    /// By how much of itself an eigenvalue, with its damping, may be another one.
    private static let departure = 0.2

    /// Whether they hold; true where there are none.
    /// - Throws: what lies in this runner and not in the work: the look comes to nothing then.
    func run() async throws -> Bool {
        guard let digest = work.rows else { return true }
        do {
            try await look(digest)
            return true
        } catch {
            guard JobFault.isOfTheWork(error) else { throw error }
            let reason = "\(error)"
            tuning.logger.info("attribution rows don't hold", ["job": .string(tuning.order.job), "reason": .string(reason)])
            return false
        }
    }

    private func look(_ digest: Digest) async throws {
        let peers = tuning.desk.peers, place = tuning.library.folder + "/rows"
        let folder = try await ArtefactFetch(peers: peers, folder: place).folder(of: digest.prefixed)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let base = model.model
        let (factors, table, bytes) = try await OSThread.run(name: "attribution rows") {
            for name in ["rows.json", RowFiles.name(0), FactorFiles.name(0)]
            where !FileManager.default.fileExists(atPath: folder + "/" + name) {
                throw EngineError.badWeights("the rows have no \(name)")
            }
            try FactorFiles.join(in: folder)
            let factors = try InfluenceFactors(path: folder + "/" + FactorFiles.name(0), model: base)
            let bytes = try Self.bytes(folder)
            let table = try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + "/rows.json")))
            return (factors, try RowTable(table, rowBytes: bytes.count), bytes)
        }
        try table.require(rows.training)
        try await require(factors, table)
        try await requireSample(factors, table, bytes)
    }

    /// The factors are of the adapter, and what its rows give.
    private func require(_ factors: InfluenceFactors, _ table: RowTable) async throws {
        guard let adapter = try await tuning.library.adapter(work.adapter, on: model.name), factors.end(at: adapter) else {
            throw EngineError.badWeights("the factors were measured on another adapter")
        }
        guard table.factors == factors.digest else { throw EngineError.badWeights("the rows name other factors") }
        guard table.points == factors.points, !factors.repeatsAPoint else {
            throw EngineError.badWeights("the factors have \(factors.points) points, the rows \(table.points), and none may be there twice")
        }
        guard factors.options.damping == InfluenceOptions().damping else {
            throw EngineError.badWeights("the factors are damped by \(factors.options.damping)")
        }
        let found = try await factors.audit(rows.training.map(\.example), pool: tuning.pool)
        // Written so that what is no number does not pass.
        guard found.skew <= Self.skew, found.departure <= Self.departure else {
            throw EngineError.badWeights("the factors are not those of the rows: \(found)")
        }
    }

    private func requireSample(_ factors: InfluenceFactors, _ table: RowTable, _ bytes: [UInt8]) async throws {
        let canaries = AttributionRows(
            job: tuning.order.job, model: model, rows: rows, pool: tuning.pool, memoryLimit: tuning.library.memoryLimit
        ).canaries
        let examples = rows.training.map(\.example) + canaries
        let drawn =
            rows.training.indices.shuffled().prefix(Self.sample)
            + canaries.indices.shuffled().prefix(Self.sample).map { rows.training.count + $0 }
        let again = try await factors.rows(drawn.map { examples[$0] }, role: .training, pool: tuning.pool)
        for (number, made) in zip(drawn, again) {
            let told = try InfluenceRow(bytes: Array(bytes[table.entries[number].place]))
            guard told.role == .training, told.factors == factors.digest, told.distance(from: made) <= Self.farthest,
                abs((told.scale(along: made) ?? 1) - 1) <= Self.stretch
            else { throw EngineError.badWeights("the row of \(table.entries[number].item) does not come out with the factors") }
        }
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
}
