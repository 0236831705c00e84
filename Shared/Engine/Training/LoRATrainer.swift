internal import Glibc

/// Fine-tunes an adapter on a base model that stays as it is, in whatever precision it is stored (over an int8 base this is
/// QLoRA's form, arXiv 2305.14314).
///
/// The same base, settings, data, seed and kind of kernel level give the same bytes, whatever the number of threads is.
public final class LoRATrainer: Sendable {
    /// The base.
    public let model: LanguageModel
    /// The adapter's form.
    public let lora: LoRAOptions
    /// How it is trained.
    public let options: TrainingOptions
    private let pool: ComputePool
    private let base: String?

    /// A trainer; throws when a setting is out of range.
    /// - Parameter base: what the model's weights are called: a checkpoint over others is not gone on from.
    public init(model: LanguageModel, lora: LoRAOptions, options: TrainingOptions, pool: ComputePool, base: String? = nil) throws {
        self.base = base
        try lora.check()
        try options.check()
        self.model = model
        self.lora = lora
        self.options = options
        self.pool = pool
    }

    /// Trains on threads of its own.
    /// - Parameters:
    ///   - holdOut: rows to measure on, never trained on.
    ///   - start: an adapter of the same rank and modules whose factors to begin with; nil: fresh ones.
    ///   - resume: a checkpoint of the same run; the result is the same as without the interruption.
    ///   - onEvent: called on the run's thread after every step, evaluation and checkpoint.
    public func train(
        _ rows: [TrainingExample], holdOut: [TrainingExample] = [], start: Adapter? = nil, resume: TrainingCheckpoint? = nil,
        onEvent: @escaping @Sendable (TrainingEvent) -> TrainingDecision = { _ in .proceed }
    ) async throws -> (adapter: Adapter, outcome: TrainingOutcome) {
        let data = try TrainingData(
            rows, holdOut: holdOut, vocabulary: model.configuration.vocabularySize, context: model.contextLength)
        return try await pool.perform("train-lora") { [self] in
            let initial = try Adapter.initial(lora, for: model.configuration, seed: options.seed)
            if let start, start.layout != initial.layout || start.scale != initial.scale {
                throw EngineError.adapterMismatch("the adapter to start from has another rank, alpha or other modules")
            }
            let adapter =
                start.map { Adapter(layout: $0.layout, scale: $0.scale, parameters: FloatBuffer($0.parameters.values)) } ?? initial
            let trained = Trainable(
                weights: model.weights, rotary: model.rotary, parameters: adapter.parameters,
                parts: [(0..<adapter.layout.count, true)], adapter: adapter, layout: nil, baseBytes: model.byteCount)
            let modules = lora.modules.sorted().map(\.name).joined(separator: ",")
            let begin = start.map { " from \(Fingerprint.of($0.parameters))" } ?? ""
            let weights = base.map { " of \($0)" } ?? ""
            let run = try TrainingRun(
                trained, data, options, pool: pool,
                identity:
                    "lora rank \(lora.rank) alpha \(lora.alpha) \(modules) on \(model.configuration) \(model.precision)\(weights)\(begin)",
                report: onEvent)
            var outcome = try run.run(from: resume)
            outcome.half = run.half.map { Adapter(layout: adapter.layout, scale: adapter.scale, parameters: $0) }
            return (adapter, outcome)
        }
    }

    /// Bytes that a run over these rows takes, the base model included.
    public func byteCount(_ rows: [TrainingExample], holdOut: [TrainingExample] = []) throws -> Int {
        let data = try TrainingData(
            rows, holdOut: holdOut, vocabulary: model.configuration.vocabularySize, context: model.contextLength)
        let layout = AdapterLayout(model.configuration, rank: lora.rank) { _, module in lora.modules.contains(module) }
        return model.byteCount + layout.count * 4 * options.parameterCopies
            + SequencePass.byteCount(model.configuration, capacity: data.longest, rank: lora.rank) * pool.threads
    }
}
