internal import Glibc
internal import Synchronization
internal import Threads

/// The gradient of each row's mean loss at an adapter's factors, as it is: what comparisons of methods start from. Attribution keeps
/// ``InfluenceRow``s, which are a quarter of the size.
public struct AdapterGradients: Sendable {
    /// Rows of ``dimension`` numbers.
    public let values: [Float]
    /// Numbers of a row: those of all factors.
    public let dimension: Int
    /// The place of each factor in a row: A and B of every adapted layer.
    public let tensors: [Range<Int>]
}

extension LanguageModel {
    /// The gradients of rows, in order, on threads of the pool's own.
    public func gradients(of rows: [TrainingExample], adapter: Adapter, pool: ComputePool) async throws -> AdapterGradients {
        let data = try TrainingData(rows, holdOut: [], vocabulary: configuration.vocabularySize, context: contextLength)
        try requireFit(adapter)
        return try await pool.perform("gradients") { [self] in
            let count = adapter.layout.count
            let all = FloatBuffer(count * rows.count)
            let passes = (0..<min(pool.threads, rows.count)).map { _ in
                SequencePass(weights, rotary: rotary, kernels: pool.kernels, capacity: data.longest, rank: adapter.rank)
            }
            pool.each(rows.count) { index, worker in
                let row = data.rows[index]
                _ = passes[worker].run(
                    row.tokens, targets: row.targets, adapter: adapter, factor: 1 / Float(row.targets.count),
                    gradient: .adapter(all.base + index * count))
            }
            guard Kernels.isFinite(all.base, all.count) else { throw EngineError.diverged(step: 0, what: "a gradient") }
            let tensors = adapter.layout.parts.flatMap { part in
                [part.a..<part.a + adapter.rank * part.inputs, part.b..<part.b + adapter.rank * part.outputs]
            }
            return AdapterGradients(values: all.values, dimension: count, tensors: tensors)
        }
    }
}
