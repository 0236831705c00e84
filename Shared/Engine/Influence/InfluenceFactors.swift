internal import CKernels
public import Crypto
internal import Glibc
internal import Synchronization
internal import Threads

/// Curvature of a LoRA fine-tune at one or more of its checkpoints (two or more score better): what turns gradients into
/// statements about who helped. Eigenbases are Kronecker factors of each LoRA tensor; the eigenvalues are measured in them with
/// labels sampled from the model.
public final class InfluenceFactors: Sendable {
    struct Checkpoint: Sendable {
        let adapter: Adapter
        /// For each part of the adapter: A (rank × inputs), then Bᵀ (rank × outputs).
        let tensors: [TensorCurvature]
    }

    /// How curvature was measured.
    public let options: InfluenceOptions
    /// Names these factors in the rows made with them.
    public let digest: Digest
    let model: LanguageModel
    let checkpoints: [Checkpoint]

    init(model: LanguageModel, checkpoints: [Checkpoint], options: InfluenceOptions) {
        self.model = model
        self.checkpoints = checkpoints
        self.options = options
        var digests: [UInt8] = Array("damping \(options.damping)".utf8)
        for checkpoint in checkpoints {
            digests += Array(Fingerprint.of(checkpoint.adapter.parameters).utf8)
            for tensor in checkpoint.tensors {
                for buffer in [tensor.left, tensor.right, tensor.eigenvalues] { digests += Array(Fingerprint.of(buffer).utf8) }
            }
        }
        digest = SHA256.hash(digests)
    }

    /// Measures curvature on the training rows; runs on threads of the pool's own.
    /// - Parameters:
    ///   - checkpoints: the adapter at points of its training, all of one form.
    ///   - progress: called with the share done, 0…1, on the run's thread; false cancels.
    public static func fit(
        model: LanguageModel, checkpoints: [Adapter], rows: [TrainingExample], options: InfluenceOptions = InfluenceOptions(),
        pool: ComputePool, progress: @escaping @Sendable (Double) -> Bool = { _ in true }
    ) async throws -> InfluenceFactors {
        try options.check()
        guard let first = checkpoints.first else { throw EngineError.noData("there is no checkpoint") }
        for adapter in checkpoints {
            try model.requireFit(adapter)
            guard adapter.layout == first.layout else { throw EngineError.adapterMismatch("the checkpoints have different forms") }
        }
        let data = try TrainingData(rows, holdOut: [], vocabulary: model.configuration.vocabularySize, context: model.contextLength)
        let work = byteCount(
            model.configuration, first.layout, longest: data.longest, checkpoints: checkpoints.count, options, pool.threads)
        let needed = work + model.byteCount
        guard needed <= options.memoryLimit else {
            throw EngineError.outOfMemory(needed: needed, limit: options.memoryLimit, what: "measuring curvature")
        }
        return try await pool.perform("curvature") {
            var fitted: [Checkpoint] = []
            for (index, adapter) in checkpoints.enumerated() {
                let fit = CurvatureFit(model: model, adapter: adapter, data: data, options: options, checkpoint: index, pool: pool)
                let share = 1 / Double(checkpoints.count)
                let tensors = try fit.run { part in progress((Double(index) + part) * share) }
                fitted.append(Checkpoint(adapter: adapter, tensors: tensors))
            }
            return InfluenceFactors(model: model, checkpoints: fitted, options: options)
        }
    }

    /// Bytes that a fit takes besides the model.
    static func byteCount(
        _ configuration: ModelConfiguration, _ layout: AdapterLayout, longest: Int, checkpoints: Int, _ options: InfluenceOptions,
        _ threads: Int
    ) -> Int {
        let squares = layout.parts.reduce(0) { total, part in
            total + part.inputs * part.inputs + part.outputs * part.outputs + 2 * layout.rank * layout.rank
        }
        let workspace = SequencePass.byteCount(configuration, capacity: longest, rank: layout.rank)
        return 4 * squares * (options.shards + checkpoints) + 4 * layout.count * (options.shards + checkpoints + 3 * threads)
            + workspace * threads
    }

    /// The rows of training examples or answers, in order; runs on threads of the pool's own. An answer is the row of its prompt
    /// and text with the text's tokens counting.
    /// - Parameter goesOn: asked before every row, on the run's threads; false cancels.
    public func rows(
        _ examples: [TrainingExample], role: InfluenceRow.Role, pool: ComputePool, goesOn: @escaping @Sendable () -> Bool = { true }
    ) async throws -> [InfluenceRow] {
        let data = try TrainingData(examples, holdOut: [], vocabulary: model.configuration.vocabularySize, context: model.contextLength)
        return try await pool.perform("influence") { [self] in
            let count = checkpoints.first?.adapter.layout.count ?? 0
            let rank = checkpoints.first?.adapter.rank ?? 1
            let lengths = checkpoints.flatMap { $0.tensors.flatMap { tensor in [Int](repeating: tensor.columns, count: tensor.rows) } }
            let workers = (0..<min(pool.threads, examples.count)).map { _ in
                Workspace(
                    pass: SequencePass(model.weights, rotary: model.rotary, kernels: pool.kernels, capacity: data.longest, rank: rank),
                    gradient: FloatBuffer(count), rotated: FloatBuffer(count * checkpoints.count), temporary: FloatBuffer(count),
                    scratch: FloatBuffer(Kernels.gemmScratch))
            }
            let results = Lock([InfluenceRow?](repeating: nil, count: examples.count))
            let isCancelled = Atomic<Bool>(false)
            pool.each(examples.count) { index, worker in
                guard !isCancelled.load(ordering: .relaxed) else { return }
                guard goesOn() else { return isCancelled.store(true, ordering: .relaxed) }
                let w = workers[worker]
                rotate(examples[index], role, w, pool.kernels)
                guard Kernels.isFinite(w.rotated.base, w.rotated.count) else { return }
                let row = InfluenceRow(w.rotated.base, lengths: lengths, role: role, factors: digest)
                results.withLock { $0[index] = row }
            }
            guard !isCancelled.load(ordering: .relaxed) else { throw EngineError.cancelled }
            return try results.withLock { $0 }.enumerated().map { index, row in
                guard let row else { throw EngineError.diverged(step: index, what: "the gradient of row \(index)") }
                return row
            }
        }
    }

    private struct Workspace: Sendable {
        let pass: SequencePass
        let gradient, rotated, temporary, scratch: FloatBuffer
    }

    private func rotate(_ example: TrainingExample, _ role: InfluenceRow.Role, _ w: Workspace, _ kernels: Kernels) {
        var at = 0
        for checkpoint in checkpoints {
            w.gradient.clear()
            _ = w.pass.run(
                example.tokens, targets: example.targets, adapter: checkpoint.adapter, factor: 1 / Float(example.targets.count),
                gradient: .adapter(w.gradient.base))
            var from = 0
            for tensor in checkpoint.tensors {
                let out = w.rotated.base + at
                tensor.rotate(w.gradient.base + from, to: out, temporary: w.temporary.base, kernels: kernels, scratch: w.scratch.base)
                if role == .training { tensor.precondition(out, damping: options.damping) }
                from += tensor.rows * tensor.columns
                at += tensor.rows * tensor.columns
            }
        }
        // The mean over checkpoints: on one side of the product only.
        if role == .training { kernels.table.scale(w.rotated.base, 1 / Float(checkpoints.count), Int64(w.rotated.count)) }
    }
}
