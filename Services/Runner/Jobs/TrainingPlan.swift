internal import Crypto
internal import Engine
internal import Events
internal import JSON

/// How a job's settings are carried out by the engine: the same in the job and in its repeat.
struct TrainingPlan: Sendable {
    var lora: LoRAOptions
    var options: TrainingOptions
    /// Most tokens of a row.
    let maximumTokens: Int
    /// Rows in a hundred that are held out.
    let holdout: Int
    let learnsPassages: Bool
    /// How the base is kept while the adapter learns; for a form that this engine has not, the one nearest to it.
    let precision: WeightPrecision
    /// A form that the settings ask for and this engine has not: rows are the same over it and an adapter can be measured, but not learned.
    let foreignPrecision: String?

    /// What the bytes of an adapter hang on besides settings, rows, base and kernels: raised when the engine computes otherwise.
    static let engine = "openledger-engine/1"

    init(_ settings: JSONFields) throws {
        var targets: Set<LinearModule> = []
        for name in try settings.array("targets") {
            let text = try name.string()
            guard let module = LinearModule.allCases.first(where: { $0.name == text }) else {
                throw name.error("is no linear layer of this family")
            }
            targets.insert(module)
        }
        var options = TrainingOptions()
        options.epochs = try settings.int("epochs")
        options.learningRate = Float(try settings.int("learning_rate")) / 1_000_000
        options.rowsPerStep = try settings.int("batch")
        options.seed = UInt64(try settings.int("seed", in: 0...Int.max))
        options.warmupSteps = try settings.int("warmup")
        options.checkpointEvery = try settings.int("checkpoint_every")
        options.keepsHalf = true
        if let advanced = try settings.optionalObject("advanced") {
            options.patience = try advanced.optionalInt("patience", in: 1...1_000)
            if let name = try advanced.optionalString("schedule") {
                guard let schedule = TrainingOptions.Schedule(rawValue: name) else {
                    throw try advanced.field("schedule").error("is no schedule of this engine")
                }
                options.schedule = schedule
            }
            if let value = try advanced.optionalInt("minimum_rate", in: 0...100) { options.minimumRate = Float(value) / 100 }
            if let value = try advanced.optionalInt("weight_decay", in: 0...1_000_000) { options.weightDecay = Float(value) / 1_000_000 }
            if let value = try advanced.optionalInt("clip", in: 0...1_000_000_000) {
                options.maximumGradientNorm = value == 0 ? nil : Float(value) / 1_000_000
            }
        }
        self.options = options
        lora = LoRAOptions(rank: try settings.int("rank"), alpha: Float(try settings.int("alpha")), modules: targets)
        maximumTokens = try settings.int("maximum_tokens")
        holdout = try settings.int("holdout")
        learnsPassages = try settings.optionalBool("passages") ?? false
        switch try settings.optionalString("precision") {
        case nil, "float32": (precision, foreignPrecision) = (.float32, nil)
        case "int8": (precision, foreignPrecision) = (.int8, nil)
        case "nf4": (precision, foreignPrecision) = (.int8, "nf4")
        case let name?: throw try settings.field("precision").error("is \(name), and must be float32, int8 or nf4")
        }
    }

    /// What learns: over an int8 base this is QLoRA's form (arXiv 2305.14314).
    func trainer(on base: ServedModel, pool: ComputePool) throws -> LoRATrainer {
        let model = base.model
        return try LoRATrainer(
            model: precision == model.precision ? model : model.converted(to: precision), lora: lora, options: options, pool: pool,
            base: base.artefact.prefixed)
    }

    /// What a job under this plan takes of memory.
    /// - Parameters:
    ///   - rows: how many are learned from.
    ///   - longest: tokens of the longest.
    func memory(on model: LanguageModel, rows: Int, longest: Int, threads: Int) -> MemoryEstimate {
        let canaries = CanaryRows.names * CanaryRows.rowsOfEach
        return MemoryEstimate(
            model: model, precision: precision, lora: lora, options: options, rows: rows + canaries, longest: longest, threads: threads)
    }

    /// Rows for a job under this plan, none yet.
    func rows(for model: ServedModel) -> JobRows {
        JobRows(model: model, maximum: maximumTokens, held: holdout, learnsPassages: learnsPassages)
    }

    /// What a job hands in: the adapter as a PEFT directory, and where it comes from.
    static func artefact(
        of adapter: Adapter, job: String, base: ServedModel, snapshots: [SnapshotReference]
    ) throws -> Artefact {
        let files = try adapter.peft(baseModel: base.name, metadata: ["job": job]).files()
        let lineage = try JSON.canonical([
            "job": .string(job), "base": .string(base.artefact.prefixed), "snapshots": .array(snapshots.map(\.json)),
        ])
        return try Artefact(files: [
            ("adapter_config.json", files.configuration), ("adapter_model.safetensors", files.weights), ("openledger.json", lineage),
        ])
    }
}
