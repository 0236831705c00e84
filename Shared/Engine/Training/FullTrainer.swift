internal import Glibc

/// Trains all parameters of a small model: how the base model that ships with the product is made.
///
/// The same settings, data, seed and kind of kernel level give the same bytes, whatever the number of threads is
/// (``TrainingOptions/gradientShards`` fixes the order of summation).
public final class FullTrainer: Sendable {
    /// The shape of the model to train.
    public let configuration: ModelConfiguration
    /// How it is trained.
    public let options: TrainingOptions
    private let pool: ComputePool
    private let contextLimit: Int

    /// - Parameter contextLimit: the longest row in tokens, below the configuration's context.
    public init(configuration: ModelConfiguration, options: TrainingOptions, pool: ComputePool, contextLimit: Int = 32_768) throws {
        try configuration.check()
        try options.check()
        self.configuration = configuration
        self.options = options
        self.pool = pool
        self.contextLimit = contextLimit
    }

    /// Trains from fresh weights (normal, deviation 0.02; output projections of the blocks smaller by √(2 · layers), as GPT-2 did)
    /// or from `start`. Runs on threads of its own.
    /// - Parameters:
    ///   - holdOut: rows to measure on, never trained on.
    ///   - start: a model whose weights to begin with.
    ///   - resume: a checkpoint of the same run; the result is the same as without the interruption.
    ///   - onEvent: called on the run's thread after every step, evaluation and checkpoint.
    public func train(
        _ rows: [TrainingExample], holdOut: [TrainingExample] = [], start: LanguageModel? = nil, resume: TrainingCheckpoint? = nil,
        onEvent: @escaping @Sendable (TrainingEvent) -> TrainingDecision = { _ in .proceed }
    ) async throws -> (model: LanguageModel, outcome: TrainingOutcome) {
        let data = try TrainingData(
            rows, holdOut: holdOut, vocabulary: configuration.vocabularySize, context: min(contextLimit, configuration.contextLength))
        return try await pool.perform("train-full") { [self] in
            let layout = ParameterLayout(configuration)
            let parameters = FloatBuffer(layout.count)
            if let start { try fill(parameters, layout, from: start) } else { fill(parameters, layout) }
            let rotary = RotaryTable(configuration, length: data.longest)
            let trained = Trainable(
                weights: NetworkWeights(layout, in: parameters), rotary: rotary, parameters: parameters, parts: layout.parts,
                adapter: nil, layout: layout, baseBytes: 0)
            let base = start == nil ? "" : " from \(Fingerprint.of(parameters))"
            let run = try TrainingRun(
                trained, data, options, pool: pool, identity: "full \(configuration)\(base)", report: onEvent)
            let outcome = try run.run(from: resume)
            return (try model(parameters, layout), outcome)
        }
    }

    /// Bytes that a run over these rows takes.
    public func byteCount(_ rows: [TrainingExample], holdOut: [TrainingExample] = []) throws -> Int {
        let data = try TrainingData(
            rows, holdOut: holdOut, vocabulary: configuration.vocabularySize, context: min(contextLimit, configuration.contextLength))
        let copies = 4 + min(options.gradientShards, options.rowsPerStep) + (options.patience == nil ? 0 : 1)
        return configuration.parameterCount * 4 * copies
            + SequencePass.byteCount(configuration, capacity: data.longest, rank: 0) * pool.threads
    }

    private func fill(_ parameters: FloatBuffer, _ layout: ParameterLayout) {
        var random = SeededRandom(options.seed &* 0x2545_F491_4F6C_DD1D &+ 0x5EED)
        let small = 0.02 / Float(2 * configuration.layerCount).squareRoot()
        for tensor in configuration.tensorShapes {
            let range = layout.range(tensor.name)
            if tensor.shape.count == 2 {
                let isOutput = tensor.name.hasSuffix("o_proj.weight") || tensor.name.hasSuffix("down_proj.weight")
                let deviation = isOutput ? small : 0.02
                for index in range { parameters.base[index] = random.normal() * deviation }
            } else if tensor.name.hasSuffix("norm.weight") {
                for index in range { parameters.base[index] = 1 }
            }
        }
    }

    private func fill(_ parameters: FloatBuffer, _ layout: ParameterLayout, from start: LanguageModel) throws {
        guard start.configuration == configuration else { throw EngineError.badWeights("the model to start from has another shape") }
        for tensor in configuration.tensorShapes {
            guard let values = start.tensor(tensor.name) else { throw EngineError.badWeights("\(tensor.name) is missing") }
            let out = parameters.base + layout.range(tensor.name).lowerBound
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { memcpy(out, from, values.count * 4) } }
        }
    }

    private func model(_ parameters: FloatBuffer, _ layout: ParameterLayout) throws -> LanguageModel {
        let weights = try NetworkWeights(configuration, precision: .float32) { name, _ in
            let range = layout.range(name)
            return Array(UnsafeBufferPointer(start: parameters.base + range.lowerBound, count: range.count))
        }
        return LanguageModel(weights: weights, precision: .float32, contextLimit: contextLimit)
    }
}
