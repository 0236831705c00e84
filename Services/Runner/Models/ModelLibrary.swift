internal import Crypto
internal import Engine
internal import Events
internal import Foundation
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Synchronization
internal import Telemetry
internal import Threads

/// The base models of this runner, and the adapters on them that are in memory.
final class ModelLibrary: Sendable {
    let models: [String: ServedModel]
    let pool: ComputePool
    private let adapters: [String: AdapterCache]
    /// Where artefacts are kept that were fetched.
    let folder: String
    private let peers: Peers
    private let factors = Lock<[Digest: InfluenceFactors]>([:])
    /// Adapters whose jobs have no factors.
    private let without = Lock<Set<Digest>>([])
    private static let mostWithout = 10_000
    /// Bytes that a job may take, its base model included.
    let memoryLimit: Int
    /// Bytes of attribution rows that a job may make.
    let rowsLimit: Int
    /// What a job may take.
    var jobLimits: JobLimits { JobLimits(memory: memoryLimit, rows: rowsLimit, factors: FactorFiles.all) }
    /// Adapters whose factors are in memory.
    private static let mostFactors = 32
    /// Bytes of adapters in memory, for each base.
    static let adapterBudget = 1 << 30

    private init(
        models: [String: ServedModel], adapters: [String: AdapterCache], pool: ComputePool, folder: String, peers: Peers, memoryLimit: Int,
        rowsLimit: Int
    ) {
        self.rowsLimit = rowsLimit
        self.memoryLimit = memoryLimit
        self.folder = folder
        self.peers = peers
        self.models = models
        self.adapters = adapters
        self.pool = pool
    }

    /// Loads what the settings name: `OPENLEDGER_RUNNER_MODELS` is `name=folder` of each; the model that ships with the product when
    /// left out. `OPENLEDGER_RUNNER_MEMORY` is what a job may take; three quarters of the machine's when left out.
    /// `OPENLEDGER_RUNNER_ROWS` is how many bytes of attribution rows a job may make. `OPENLEDGER_RUNNER_PRECISION` is how the weights are kept
    /// that answer.
    static func open(
        _ settings: Configuration, folder: String, peers: Peers, pool: ComputePool, logger: Logger
    ) async throws -> ModelLibrary {
        let limit = try settings.bytes("RUNNER_MEMORY", in: 1 << 20...1 << 50, default: MachineMemory.bytes / 4 * 3)
        // Attribution takes no more of an artefact, and a manifest names no more files.
        let most = min(4 << 30, RowFiles.most * RowFiles.largest)
        let rows = try settings.bytes("RUNNER_ROWS", in: 1 << 20...most, default: most)
        let answers = try settings.choice("RUNNER_PRECISION", default: WeightPrecision.float32)
        var models: [String: ServedModel] = [:]
        var adapters: [String: AdapterCache] = [:]
        for (name, path) in try places(settings) {
            let served = try await OSThread.run(name: "load model") {
                try ServedModel(name: name, folder: path, pool: pool, answers: answers)
            }
            models[name] = served
            let configuration = served.model.configuration
            let artefact = served.artefact
            adapters[name] = AdapterCache(budget: adapterBudget) { digest async throws -> Adapter in
                let place = try await ArtefactFetch(peers: peers, folder: folder + "/adapters").folder(of: digest)
                return try await OSThread.run(name: "load adapter") {
                    try requireBase(artefact, of: place)
                    return try Adapter(folder: place, for: configuration)
                }
            }
        }
        if models.isEmpty { logger.warning("this runner has no base model: name one in OPENLEDGER_RUNNER_MODELS") }
        return ModelLibrary(
            models: models, adapters: adapters, pool: pool, folder: folder, peers: peers, memoryLimit: limit, rowsLimit: rows)
    }

    /// An adapter that names the base that it was made on is on that one alone: others of the same form would give nonsense.
    private static func requireBase(_ base: Digest, of folder: String) throws {
        guard let bytes = FileManager.default.contents(atPath: folder + "/openledger.json"),
            let named = (try? JSON.parse(Array(bytes)))?["base"]?.stringValue, named != base.prefixed
        else { return }
        throw EngineError.adapterMismatch("it was made on the base model \(named), and this one is \(base.prefixed)")
    }

    private static func places(_ settings: Configuration) throws -> [(String, String)] {
        let named = settings.list("RUNNER_MODELS")
        if named.isEmpty { return shipped().map { [("openledger-base", $0)] } ?? [] }
        return try named.map { line in
            guard let equals = line.firstIndex(of: "=") else {
                throw ConfigurationError(key: "OPENLEDGER_RUNNER_MODELS", expected: "name=folder, separated by commas", found: line)
            }
            return (String(line[..<equals]), String(line[line.index(after: equals)...]))
        }
    }

    /// Where the model lies that ships with the product: beside the program or its sources.
    static func shipped() -> String? {
        var place = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<6 {
            for candidate in ["models/base", "share/openledger/models/base"] {
                let path = place.appendingPathComponent(candidate).path
                if FileManager.default.fileExists(atPath: path + "/config.json") { return path }
            }
            place = place.deletingLastPathComponent()
        }
        return nil
    }

    /// An adapter by its artefact, in memory or fetched.
    func adapter(_ digest: Digest, on base: String) async throws -> Adapter? { try await adapters[base]?.adapter(digest.prefixed) }

    /// Lets an adapter go from memory; who uses it keeps it to the end.
    func release(_ digest: Digest, on base: String) { adapters[base]?.remove(digest.prefixed) }

    /// What turns an answer into its attribution row: kept here by the one that trained the adapter, and fetched by every other from the
    /// attribution rows of the adapter's job; nil where its job has none.
    func factors(of adapter: Digest, on base: ServedModel) async throws -> InfluenceFactors? {
        if let known = factors.withLock({ $0[adapter] }) { return known }
        if without.withLock({ $0.contains(adapter) }) { return nil }
        let path = path(of: adapter)
        if !FileManager.default.fileExists(atPath: path), try await !fetchFactors(of: adapter, on: base, to: path) {
            // What a job handed in does not change.
            without.withLock { known in
                if known.count >= Self.mostWithout { known.removeAll() }
                known.insert(adapter)
            }
            return nil
        }
        let read = try await OSThread.run(name: "factors") { try InfluenceFactors(path: path, model: base.model) }
        remember(read, of: adapter)
        return read
    }

    /// - Returns: whether there are any.
    private func fetchFactors(of adapter: Digest, on base: ServedModel, to path: String) async throws -> Bool {
        let pieces = try await factorFiles(of: adapter)
        guard !pieces.isEmpty, let trained = try await self.adapter(adapter, on: base.name) else { return false }
        // Read before it is kept: what somebody's runner wrote may be anything.
        let beside = path + ".fetched-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: beside) }
        for (number, name) in pieces.enumerated() {
            let bytes = try await peers.bytes(
                "GET", .training, "/v1/adapters/artefacts/\(name.prefixed)", timeout: .seconds(600), limit: 512 << 20)
            guard SHA256.hash(bytes) == name else { return false }
            try await OSThread.run(name: "factors") {
                let place = URL(fileURLWithPath: beside)
                guard number > 0 else {
                    try FileManager.default.createDirectory(at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
                    return try Data(bytes).write(to: place)
                }
                let file = try FileHandle(forWritingTo: place)
                defer { try? file.close() }
                _ = try file.seekToEnd()
                try file.write(contentsOf: bytes)
            }
        }
        return try await OSThread.run(name: "factors") {
            guard let read = try? InfluenceFactors(path: beside, model: base.model), read.end(at: trained) else { return false }
            try read.write(to: path)
            return true
        }
    }

    /// The pieces of the factors that an adapter's job handed in with its attribution rows, or that the adapter itself names.
    private func factorFiles(of adapter: Digest) async throws -> [Digest] {
        let place = try await ArtefactFetch(peers: peers, folder: folder + "/adapters").folder(of: adapter.prefixed)
        let lineage = try await OSThread.run(name: "lineage") {
            FileManager.default.contents(atPath: place + "/openledger.json").flatMap { try? JSON.parse(Array($0)) }
        }
        if let named = lineage?["factors"]?.stringValue.flatMap({ Digest(prefixed: $0) }) { return [named] }
        let path = "/v1/adapters/artefacts/\(adapter.prefixed)/attribution"
        let rows: Digest
        do {
            guard let named = try await peers.call("GET", .training, path)["rows"]?.stringValue.flatMap({ Digest(prefixed: $0) }) else {
                return []
            }
            rows = named
        } catch let error as PeerError {
            if error.status == 404 { return [] }
            throw error
        }
        let manifest = try await peers.bytes("GET", .training, "/v1/adapters/artefacts/\(rows.prefixed)", limit: 1 << 20)
        guard SHA256.hash(manifest) == rows else { return [] }
        let files = Dictionary(try ArtefactFetch.entries(manifest).map { ($0.path, $0.digest) }) { first, _ in first }
        var pieces: [Digest] = []
        while pieces.count < FactorFiles.most, let piece = files[FactorFiles.name(pieces.count)] { pieces.append(piece) }
        return pieces
    }

    /// Keeps what an adapter's training measured, beyond a restart.
    func keep(_ made: InfluenceFactors, of adapter: Digest) async throws {
        let (folder, path) = (folder + "/factors", path(of: adapter))
        try await OSThread.run(name: "factors") {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try made.write(to: path)
        }
        remember(made, of: adapter)
    }

    /// Keeps factors in memory, a bounded number of them: the others lie in their files.
    private func remember(_ made: InfluenceFactors, of adapter: Digest) {
        factors.withLock { kept in
            if kept[adapter] == nil, kept.count >= Self.mostFactors, let other = kept.keys.first { kept[other] = nil }
            kept[adapter] = made
        }
    }

    private func path(of adapter: Digest) -> String { folder + "/factors/\(adapter.hex).safetensors" }
}
