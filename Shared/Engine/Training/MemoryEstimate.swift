/// What a fine-tuning takes of memory from its base model to its attribution rows, in bytes: said before it begins, from its settings and
/// the size of its data alone.
public struct MemoryEstimate: Sendable, Equatable {
    /// The base model, and its copy in the form that the adapter learns over.
    public let base: Int
    /// What learns: parameters, moments, gradients, checkpoints, and a workspace for each thread.
    public let training: Int
    /// What measures curvature, and the factors that come of it.
    public let influence: Int
    /// The rows of tokens, and their attribution rows.
    public let rows: Int

    /// The attribution rows as they are written; no part of ``total``.
    public let written: Int

    /// The factors as they are written; no part of ``total``.
    public let factors: Int

    /// The most that is taken at once: rows are measured when the adapter has learned.
    public var total: Int { base + max(training, influence + rows) }

    /// - Parameters:
    ///   - precision: the form of the base that the adapter learns over.
    ///   - rows: how many are learned from.
    ///   - longest: tokens of the longest row.
    ///   - checkpoints: at how many points of the training influence is measured.
    public init(
        model: LanguageModel, precision: WeightPrecision, lora: LoRAOptions, options: TrainingOptions,
        influence: InfluenceOptions = InfluenceOptions(), rows: Int, longest: Int, checkpoints: Int = 2, threads: Int
    ) {
        let configuration = model.configuration
        let layout = AdapterLayout(configuration, rank: lora.rank) { _, module in lora.modules.contains(module) }
        base = model.byteCount + (precision == model.precision ? 0 : LanguageModel.byteCount(configuration, precision: precision))
        training =
            layout.count * 4 * options.parameterCopies
            + SequencePass.byteCount(configuration, capacity: longest, rank: lora.rank) * threads
        self.influence = InfluenceFactors.byteCount(
            configuration, layout, longest: longest, checkpoints: checkpoints, influence, threads)
        // Modules that read the same activations share a basis.
        let shared = Dictionary(layout.parts.map { ($0.layer * 8 + CurvatureFit.source($0.module), $0.inputs * $0.inputs) }) { one, _ in one
        }
        let own = layout.parts.reduce(0) { $0 + $1.outputs * $1.outputs + 2 * lora.rank * lora.rank }
        factors = 4 * checkpoints * (shared.values.reduce(own, +) + 2 * layout.count)
        // A row's numbers are there as they are compared and as they are written, with a length and a scale for each row of a tensor.
        let parts = checkpoints * layout.parts.count * 2 * lora.rank
        // A byte for each number, a length and a scale for each row of a tensor, and what says whose it is.
        written = rows * (checkpoints * layout.count + 8 * parts + 256)
        self.rows = rows * (2 * checkpoints * layout.count + 20 * parts + 12 * longest)
    }
}
