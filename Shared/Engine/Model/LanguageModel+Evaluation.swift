internal import Synchronization
internal import Threads

extension LanguageModel {
    /// How well a model predicts rows.
    public struct Evaluation: Sendable, Equatable {
        /// Mean over all target tokens, nats. Its exponential is the perplexity.
        public var loss: Double
        /// Share of target tokens ranked first.
        public var tokenAccuracy: Double
        /// Target tokens.
        public var targets: Int
        /// Each row's mean loss, in order.
        public var rowLosses: [Double]
    }

    /// Measures rows, on threads of the pool's own.
    public func evaluate(_ rows: [TrainingExample], adapter: Adapter? = nil, pool: ComputePool) async throws -> Evaluation {
        let data = try TrainingData(rows, holdOut: [], vocabulary: configuration.vocabularySize, context: contextLength)
        try requireFit(adapter)
        return try await pool.perform("evaluate") { [self] in
            let passes = (0..<min(pool.threads, rows.count)).map { _ in
                SequencePass(weights, rotary: rotary, kernels: pool.kernels, capacity: data.longest, rank: adapter?.rank ?? 0)
            }
            let results = Lock([SequencePass.Result](repeating: .init(), count: rows.count))
            pool.each(rows.count) { index, worker in
                let result = passes[worker].run(
                    rows[index].tokens, targets: rows[index].targets, adapter: adapter, factor: 1, gradient: nil)
                results.withLock { $0[index] = result }
            }
            let all = results.withLock { $0 }
            let targets = all.reduce(0) { $0 + $1.targets }
            let loss = all.reduce(0) { $0 + $1.loss } / Double(targets)
            guard loss.isFinite else { throw EngineError.diverged(step: 0, what: "the loss") }
            return Evaluation(
                loss: loss, tokenAccuracy: Double(all.reduce(0) { $0 + $1.hits }) / Double(targets), targets: targets,
                rowLosses: all.map { $0.loss / Double($0.targets) })
        }
    }

    /// The logits after every token of a row: `tokens.count` × vocabulary, row by row.
    public func logits(_ tokens: [Int32], adapter: Adapter? = nil, pool: ComputePool) async throws -> [Float] {
        guard !tokens.isEmpty else { throw EngineError.noData("there is no token") }
        guard tokens.count <= contextLength else {
            throw EngineError.rowTooLong(row: 0, tokens: tokens.count, limit: contextLength)
        }
        if let bad = tokens.first(where: { $0 < 0 || $0 >= configuration.vocabularySize }) {
            throw EngineError.badToken(row: 0, token: bad, vocabulary: configuration.vocabularySize)
        }
        try requireFit(adapter)
        return try await pool.perform("logits") { [self] in
            SequencePass(weights, rotary: rotary, kernels: pool.kernels, capacity: tokens.count, rank: adapter?.rank ?? 0)
                .allLogits(tokens, adapter: adapter)
        }
    }

    /// Throws unless the adapter's factors have this model's sizes.
    func requireFit(_ adapter: Adapter?) throws {
        guard let adapter else { return }
        let fits = adapter.layout.parts.allSatisfy { part in
            guard part.layer < configuration.layerCount else { return false }
            let shape = configuration.projections(layer: part.layer)[part.module.rawValue]
            return shape.inputSize == part.inputs && shape.outputSize == part.outputs
        }
        guard fits else { throw EngineError.adapterMismatch("it was made for a model of another shape") }
    }
}
