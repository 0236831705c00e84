internal import Crypto
internal import Engine
internal import Events
internal import JSON

/// The attribution rows of a job's training items and of canaries: the same in the job, in its repeat, and for who looks at it.
struct AttributionRows: Sendable {
    let job: String
    let model: ServedModel
    let rows: JobRows
    let pool: ComputePool
    /// Bytes that measuring may take, the base model included.
    let memoryLimit: Int

    /// The points at which influence is measured: half way and the end, or one where they are the same. A point that is counted twice would
    /// seem to agree with itself.
    static func points(half: Adapter?, end: Adapter) -> [Adapter] {
        guard let half, !half.hasSameNumbers(as: end) else { return [end] }
        return [half, end]
    }

    /// Rows that nobody learns from, by the job's id: what garbage would earn by influence, which attribution takes off.
    var canaries: [TrainingExample] {
        let lengths = rows.training.map(\.example.tokens.count).sorted()
        let bytes = SHA256.hash(utf8: "canaries\n" + job).bytes
        let seed = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return CanaryRows.examples(
            length: lengths[lengths.count / 2], vocabulary: model.model.configuration.vocabularySize, seed: seed)
    }

    /// What a canary's row is called, by its number.
    static func canary(_ number: Int) -> String { "canary/\(number / CanaryRows.rowsOfEach)/\(number % CanaryRows.rowsOfEach)" }

    /// Makes them, as an artefact: `rows.bin`, `rows-1.bin` and so on have them one after another, `rows.json` says whose each is, and
    /// `factors.safetensors` is what they were made with, so that whoever serves the adapter can give its answers their rows.
    /// - Parameter goesOn: asked before every row; false cancels.
    func make(at points: [Adapter], goesOn: @escaping @Sendable () -> Bool = { true }) async throws -> (Artefact, InfluenceFactors) {
        var options = InfluenceOptions()
        options.memoryLimit = memoryLimit
        let (examples, canaries) = (rows.training.map(\.example), canaries)
        let factors = try await InfluenceFactors.fit(
            model: model.model, checkpoints: points, rows: examples, options: options, pool: pool
        ) { _ in goesOn() }
        let made = try await factors.rows(examples + canaries, role: .training, pool: pool, goesOn: goesOn)
        var files = RowFiles()
        var index: [JSONValue] = []
        func add(_ row: InfluenceRow, _ members: [String: JSONValue]) {
            let encoded = row.bytes
            let place: [String: JSONValue] = ["offset": .int(Int64(files.count)), "length": .int(Int64(encoded.count))]
            index.append(.object(JSONObject(members.merging(place) { own, _ in own }.map { ($0.key, $0.value) })))
            files.add(encoded)
        }
        for (row, made) in zip(rows.training, made) {
            add(made, ["item": .string(row.item), "owner": .string(row.owner), "datanet": .string(row.datanet)])
        }
        for (number, made) in made.dropFirst(rows.training.count).enumerated() { add(made, ["item": .string(Self.canary(number))]) }
        let table = try JSON.canonical([
            "factors": .string(factors.digest.prefixed), "checkpoints": .int(Int64(points.count)), "rows": .array(index),
        ])
        return (try Artefact(files: files.files + FactorFiles.pieces(try factors.file()) + [("rows.json", table)]), factors)
    }
}
