internal import AttributionDomain
internal import CorpusIndex
internal import Crypto
internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Threads
import Glibc

/// Rows of influence from training, in the form that scores are computed from. What it keeps can be fetched again at any time.
actor RowShelf {
    /// What came of looking for scores.
    enum Finding: Sendable {
        /// At each checkpoint.
        case scores([InfluenceScores])
        /// A code that says what is not there.
        case missing(String)
    }

    private let folder: String
    private let peers: Peers
    private let logger: Logger
    private var open: [Digest: InfluenceRows] = [:]
    private var unusable: Set<Digest> = []
    private var lastQuery = 0
    private let turns = Turns<Digest>()
    private static let openLimit = 64
    /// The most bytes of a file of rows.
    private static let largest = 1 << 30
    /// The most bytes of an artefact's rows together.
    private static let mostRows = 4 << 30

    init(folder: String, peers: Peers, logger: Logger) throws {
        self.folder = folder + "/rows"
        try Folders.make(self.folder)
        self.peers = peers
        self.logger = logger
    }

    /// The scores of a job's rows for an answer's row.
    /// - Throws: when training cannot be asked now.
    func scores(rows: Digest, answer: Digest) async throws -> Finding {
        guard !unusable.contains(rows) else { return .missing("bad-rows") }
        do {
            guard let training = try await turns.take(rows, { try await self.training(rows) }) else { return .missing("no-rows") }
            let checkpoints = RowConversion.checkpoints(of: training.tensors)
            guard let query = try await query(answer, checkpoints.count) else { return .missing("no-row") }
            return try await OSThread.run(name: "influence") {
                guard query.tensors == training.tensors else { return .missing("row-of-other-factors") }
                return .scores(try checkpoints.map { try training.scores(for: query, of: $0) })
            }
        } catch {
            guard let reason = Self.lastingReason(error) else { throw error }
            logger.warning("influence is left out", ["rows": .string(rows.prefixed), "error": .string(reason)])
            return .missing("bad-rows")
        }
    }

    /// Why rows cannot be used, where that is for ever: they are named by their hash and stay as they are. Nil for what may pass.
    private static func lastingReason(_ error: any Error) -> String? {
        switch error {
        case is InfluenceRowError, is JSONError, is JSONFieldError: "\(error)"
        case CorpusIndexError.corrupt(_, let reason): reason
        case CorpusIndexError.badItem, CorpusIndexError.tooLarge: "\(error)"
        default: nil
        }
    }

    private func training(_ rows: Digest) async throws -> InfluenceRows? {
        if let kept = open[rows] { return kept }
        let path = path(rows)
        let kept: InfluenceRows
        if let found = try? await Self.opened(path) {
            kept = found
        } else {
            guard try await made(rows, at: path) else { return nil }
            kept = try await Self.opened(path)
        }
        if open.count >= Self.openLimit { open.removeAll() }
        open[rows] = kept
        return kept
    }

    /// Fetches rows and writes them in the form that is scanned.
    /// - Returns: false when training does not have them.
    private func made(_ rows: Digest, at path: String) async throws -> Bool {
        do {
            guard let files = try await files(of: rows) else { return false }
            try await OSThread.run(name: "rows") { try Self.convert(files, to: path) }
            return true
        } catch {
            if Self.lastingReason(error) != nil { unusable.insert(rows) }
            throw error
        }
    }

    private func query(_ row: Digest, _ checkpoints: Int) async throws -> InfluenceRows? {
        guard let bytes = try await file(row) else { return nil }
        lastQuery += 1
        // Two answers may have the same row, and be looked at side by side.
        let path = path(row) + ".\(lastQuery)"
        return try await OSThread.run(name: "rows") {
            let answer = try EngineRow(bytes[...])
            // A row of another shape is of other factors, which is found when tensors are compared.
            let count = RowConversion.parts(answer.lengths, checkpoints) == nil ? 1 : checkpoints
            try RowConversion.write([("answer", answer)], role: .answer, factors: answer.factors, checkpoints: count, to: path)
            defer { Self.remove(path) }
            // The mapping outlives the name.
            return try InfluenceRows(path: path)
        }
    }

    private static func convert(_ files: [String: [UInt8]], to path: String) throws {
        guard let table = files["rows.json"], var bytes = files["rows.bin"] else {
            throw InfluenceRowError.artefact("has no rows.json or no rows.bin")
        }
        // Many rows come in several files; their places are counted over all of them.
        var number = 1
        while let more = files["rows-\(number).bin"] {
            guard more.count <= mostRows - bytes.count else {
                throw InfluenceRowError.artefact("has more than \(mostRows) bytes of rows, and no more are taken")
            }
            bytes += more
            number += 1
        }
        let fields = try JSON.parse(table, limits: JSONLimits(bytes: largest, items: 50_000_000)).object()
        guard let factors = Digest(prefixed: try fields.string("factors")) else {
            throw InfluenceRowError.artefact("does not name its factors")
        }
        let rows = try fields.array("rows", count: 0...5_000_000).map { entry in
            let entry = try entry.object()
            let offset = try entry.int("offset", in: 0...bytes.count)
            let length = try entry.int("length", in: 0...(bytes.count - offset))
            return (item: try entry.id("item"), row: try EngineRow(bytes[offset..<offset + length]))
        }
        let checkpoints = try fields.optionalInt("checkpoints", in: 1...64) ?? 1
        try RowConversion.write(rows, role: .training, factors: factors, checkpoints: checkpoints, to: path)
    }

    private static func opened(_ path: String) async throws -> InfluenceRows {
        try await OSThread.run(name: "rows-open") { try InfluenceRows(path: path) }
    }

    // MARK: From training

    /// The files of an artefact that rows are made of; nil when training does not have one. What else lies there is nobody's business.
    private func files(of digest: Digest) async throws -> [String: [UInt8]]? {
        guard let manifest = try await file(digest) else { return nil }
        var files: [String: [UInt8]] = [:]
        var bytesOfRows = 0
        for entry in try JSON.parse(manifest).object().array("files", count: 1...64) {
            let entry = try entry.object()
            let path = try entry.string("path", bytes: 1...200)
            let isRows = path == "rows.bin" || (path.hasPrefix("rows-") && path.hasSuffix(".bin"))
            guard path == "rows.json" || isRows else { continue }
            guard let own = Digest(prefixed: try entry.string("sha256")) else {
                throw InfluenceRowError.artefact("names a file without its hash")
            }
            guard let bytes = try await file(own) else { return nil }
            if isRows { bytesOfRows += bytes.count }
            // Nothing more is fetched of what is not taken.
            guard bytesOfRows <= Self.mostRows else {
                throw InfluenceRowError.artefact("has more than \(Self.mostRows) bytes of rows, and no more are taken")
            }
            files[path] = bytes
        }
        return files
    }

    /// A file by its hash; nil when training does not have it.
    private func file(_ digest: Digest) async throws -> [UInt8]? {
        let response = try await peers.open("GET", .training, "/v1/adapters/artefacts/\(digest.prefixed)", limit: Self.largest)
        let bytes = try await response.body.collect(upTo: Self.largest)
        if response.status == 404 || response.status == 410 { return nil }
        guard response.status == 200 else { throw PeerError(.training, response.status, bytes) }
        guard SHA256.hash(bytes) == digest else { throw AttributionTrouble.answer(.training, "sent other bytes than \(digest.prefixed)") }
        return bytes
    }

    private func path(_ digest: Digest) -> String { folder + "/" + digest.hex + ".rows" }

    private static func remove(_ path: String) { unlink(path) }
}
