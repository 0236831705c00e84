internal import CKernels
internal import Glibc
internal import Synchronization
internal import Threads

/// Measures the factors of one checkpoint: a pass over the rows for the second moments, one for the eigenvalues. Both see the
/// same sampled labels.
struct CurvatureFit: Sendable {
    let model: LanguageModel
    let adapter: Adapter
    let data: TrainingData
    let options: InfluenceOptions
    let checkpoint: Int
    let pool: ComputePool

    /// Second moments of one part: of what goes into A and of the gradient at what comes out of it, and the same for B.
    private struct Moments: Sendable {
        /// Of x, inputs²; shared by modules that read the same x.
        let inputs: FloatBuffer
        let lowGradient: FloatBuffer
        let low: FloatBuffer
        let outputGradient: FloatBuffer
    }

    func run(_ progress: (Double) -> Bool) throws -> [TensorCurvature] {
        let shards = min(options.shards, data.rows.count)
        let passes = (0..<pool.threads).map { _ in
            SequencePass(model.weights, rotary: model.rotary, kernels: pool.kernels, capacity: data.longest, rank: adapter.rank)
        }
        let scratch = (0..<pool.threads).map { _ in FloatBuffer(Kernels.gemmScratch) }
        let gradients = (0..<pool.threads).map { _ in FloatBuffer(adapter.layout.count) }
        guard progress(0) else { throw EngineError.cancelled }
        let moments = measureMoments(shards, passes, scratch, gradients)
        guard progress(0.4) else { throw EngineError.cancelled }
        let tensors = try decompose(moments)
        guard progress(0.6) else { throw EngineError.cancelled }
        measureEigenvalues(tensors, shards, passes, scratch, gradients)
        guard tensors.allSatisfy({ Kernels.isFinite($0.eigenvalues.base, $0.eigenvalues.count) }) else {
            throw EngineError.diverged(step: checkpoint, what: "the curvature")
        }
        guard progress(1) else { throw EngineError.cancelled }
        return tensors
    }

    // MARK: moments

    private func measureMoments(
        _ shards: Int, _ passes: [SequencePass], _ scratch: [FloatBuffer], _ gradients: [FloatBuffer]
    ) -> [Moments] {
        let sums = (0..<shards).map { _ in emptyMoments() }
        let k = pool.kernels, rank = adapter.rank, adapter = adapter
        pool.each(shards) { shard, worker in
            for row in stride(from: shard, to: data.rows.count, by: shards) {
                passOver(row, passes[worker], gradients[worker]) { trace in
                    guard let index = adapter.layout.parts.firstIndex(of: trace.part) else { return }
                    let m = sums[shard][index], t = trace.tokens
                    func add(_ x: UnsafePointer<Float>, _ n: Int, _ out: FloatBuffer) {
                        k.gemm(transA: true, transB: false, n, n, t, x, n, x, n, out.base, n, add: true, scratch[worker].base)
                    }
                    if readsFirst(trace.part) { add(trace.inputs, trace.part.inputs, m.inputs) }
                    for (x, out) in [(trace.lowGradient, m.lowGradient), (trace.low, m.low)] {
                        k.gemm(transB: true, rank, rank, t, x, t, x, t, out.base, rank, add: true, scratch[worker].base)
                    }
                    add(trace.outputGradient, trace.part.outputs, m.outputGradient)
                }
            }
        }
        for shard in 1..<max(1, shards) {
            for (index, part) in adapter.layout.parts.enumerated() {
                let a = sums[0][index], b = sums[shard][index]
                var pairs = [(a.lowGradient, b.lowGradient), (a.low, b.low), (a.outputGradient, b.outputGradient)]
                if readsFirst(part) { pairs.append((a.inputs, b.inputs)) }
                for (into, from) in pairs { k.table.add_scaled(into.base, from.base, 1, Int64(into.count)) }
            }
        }
        return sums[0]
    }

    private func emptyMoments() -> [Moments] {
        var shared: [Int: FloatBuffer] = [:]
        let rank = adapter.rank
        return adapter.layout.parts.map { part in
            let key = part.layer * 8 + Self.source(part.module)
            let inputs = shared[key] ?? FloatBuffer(part.inputs * part.inputs)
            shared[key] = inputs
            return Moments(
                inputs: inputs, lowGradient: FloatBuffer(rank * rank), low: FloatBuffer(rank * rank),
                outputGradient: FloatBuffer(part.outputs * part.outputs))
        }
    }

    /// Modules with the same number read the same activations of a block.
    static func source(_ module: LinearModule) -> Int {
        switch module {
        case .query, .key, .value: 0
        case .output: 1
        case .gate, .up: 2
        case .down: 3
        }
    }

    /// Whether the part is the first of those that read the same activations.
    private func readsFirst(_ part: AdapterLayout.Part) -> Bool {
        adapter.layout.parts.first { $0.layer == part.layer && Self.source($0.module) == Self.source(part.module) } == part
    }

    // MARK: bases

    private func decompose(_ moments: [Moments]) throws -> [TensorCurvature] {
        let parts = adapter.layout.parts, rank = adapter.rank
        // Each different matrix once.
        var jobs: [(buffer: FloatBuffer, n: Int)] = []
        for (part, m) in zip(parts, moments) {
            if readsFirst(part) { jobs.append((m.inputs, part.inputs)) }
            jobs += [(m.lowGradient, rank), (m.low, rank), (m.outputGradient, part.outputs)]
        }
        let work = jobs
        let failed = Atomic<Bool>(false)
        // The vectors take the place of the moments.
        pool.each(work.count) { index, _ in
            let (buffer, n) = work[index]
            guard let found = SymmetricEigen.decompose(buffer.base, n) else { return failed.store(true, ordering: .relaxed) }
            found.vectors.withUnsafeBufferPointer { if let from = $0.baseAddress { memcpy(buffer.base, from, n * n * 4) } }
        }
        guard !failed.load(ordering: .relaxed) else { throw EngineError.diverged(step: checkpoint, what: "a second moment") }
        return zip(parts, moments).flatMap { part, m in
            [
                TensorCurvature(
                    rows: rank, columns: part.inputs, left: m.lowGradient, right: m.inputs, eigenvalues: FloatBuffer(rank * part.inputs)),
                TensorCurvature(
                    rows: rank, columns: part.outputs, left: m.low, right: m.outputGradient, eigenvalues: FloatBuffer(rank * part.outputs)),
            ]
        }
    }

    // MARK: eigenvalues

    /// - Parameter spread: gets the mean of the fourth powers of what the eigenvalues are the mean squares of.
    func measureEigenvalues(
        _ tensors: [TensorCurvature], _ shards: Int, _ passes: [SequencePass], _ scratch: [FloatBuffer], _ gradients: [FloatBuffer],
        spread: FloatBuffer? = nil
    ) {
        let count = adapter.layout.count, k = pool.kernels
        let sums = (0..<shards).map { _ in FloatBuffer(count) }
        let fourths = spread.map { _ in (0..<shards).map { _ in FloatBuffer(count) } }
        let rotated = (0..<pool.threads).map { _ in FloatBuffer(count) }
        let temporary = (0..<pool.threads).map { _ in FloatBuffer(count) }
        pool.each(shards) { shard, worker in
            for row in stride(from: shard, to: data.rows.count, by: shards) {
                for sample in 0..<options.labelSamples {
                    gradients[worker].clear()
                    pass(row, sample, passes[worker], gradients[worker], trace: nil)
                    var at = 0
                    for tensor in tensors {
                        tensor.rotate(
                            gradients[worker].base + at, to: rotated[worker].base + at, temporary: temporary[worker].base, kernels: k,
                            scratch: scratch[worker].base)
                        at += tensor.rows * tensor.columns
                    }
                    let sum = sums[shard].base, values = rotated[worker].base
                    for index in 0..<count { sum[index] += values[index] * values[index] }
                    guard let fourth = fourths?[shard].base else { continue }
                    for index in 0..<count { fourth[index] += values[index] * values[index] * values[index] * values[index] }
                }
            }
        }
        for shard in 1..<max(1, shards) { k.table.add_scaled(sums[0].base, sums[shard].base, 1, Int64(count)) }
        let share = 1 / Float(data.rows.count * options.labelSamples)
        k.table.scale(sums[0].base, share, Int64(count))
        if let spread, let fourths {
            for shard in fourths { k.table.add_scaled(spread.base, shard.base, share, Int64(count)) }
        }
        var at = 0
        for tensor in tensors {
            memcpy(tensor.eigenvalues.base, sums[0].base + at, tensor.eigenvalues.count * 4)
            at += tensor.eigenvalues.count
        }
    }

    // MARK: passes

    private func passOver(_ row: Int, _ pass: SequencePass, _ gradient: FloatBuffer, _ trace: @escaping (LinearTrace) -> Void) {
        for sample in 0..<options.labelSamples { self.pass(row, sample, pass, gradient, trace: trace) }
    }

    /// Forward and backward with labels drawn from the model's own distribution.
    private func pass(_ row: Int, _ sample: Int, _ pass: SequencePass, _ gradient: FloatBuffer, trace: ((LinearTrace) -> Void)?) {
        let example = data.rows[row], vocabulary = model.configuration.vocabularySize, k = pool.kernels.table
        var random = SeededRandom(
            options.seed &+ UInt64(checkpoint) &* 0xA24B_AED4_963E_E407 &+ UInt64(row) &* 0x9FB2_1C65_1E98_DF25 &+ UInt64(sample)
                &* 0xD6E8_FEB8_6659_FD93)
        _ = pass.run(
            example.tokens, targets: example.targets, adapter: adapter, factor: 1 / Float(example.targets.count),
            gradient: .adapter(gradient.base),
            observeLogits: { _, logits, rows in
                (0..<rows).map { index in
                    let row = logits + index * vocabulary, total = k.log_sum_exp(row, Int64(vocabulary))
                    var left = random.unit()
                    for token in 0..<vocabulary {
                        left -= expf(row[token] - total)
                        if left < 0 { return Int32(token) }
                    }
                    return Int32(vocabulary - 1)
                }
            }, trace: trace)
    }
}
