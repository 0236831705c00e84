internal import CKernels
internal import Glibc
internal import Synchronization
internal import Threads

/// What a run trains: where its parameters are and how a row is passed through them.
struct Trainable: Sendable {
    let weights: NetworkWeights
    let rotary: RotaryTable
    let parameters: FloatBuffer
    /// In order; which of them decay.
    let parts: [(range: Range<Int>, decays: Bool)]
    /// The adapter whose factors the parameters are; nil: they are the network itself.
    let adapter: Adapter?
    let layout: ParameterLayout?
    /// Bytes of the base model, 0 when it is what is trained.
    let baseBytes: Int

    func target(_ gradient: FloatBuffer) -> GradientTarget {
        if let layout { return .all(gradient.base, layout) }
        return .adapter(gradient.base)
    }
}

/// The training loop: blocks, on a thread of its own, with the pool's threads for the rows.
final class TrainingRun {
    private let trained: Trainable
    private let options: TrainingOptions
    private let data: TrainingData
    private let pool: ComputePool
    private let order: RowOrder
    private let identity: String
    private let report: (TrainingEvent) -> TrainingDecision
    private let gradients: [FloatBuffer]
    private let first, second: FloatBuffer
    private let passes: [SequencePass]
    private var best: FloatBuffer?
    private var bestStep = 0
    private var bestLoss = Float.infinity
    private var evaluations: [TrainingEvent.EvaluationMetrics] = []
    private var stale = 0
    /// The parameters at half way, when they are kept.
    private(set) var half: FloatBuffer?
    private var step = 0
    private var tokens = 0
    private var lastLoss = Float.nan

    init(
        _ trained: Trainable, _ data: TrainingData, _ options: TrainingOptions, pool: ComputePool, identity: String,
        report: @escaping (TrainingEvent) -> TrainingDecision
    ) throws(EngineError) {
        try options.check()
        self.trained = trained
        self.data = data
        self.options = options
        self.pool = pool
        self.report = report
        order = RowOrder(rows: data.rows.count, options: options)
        self.identity =
            "\(identity) data \(data.digest) level \(pool.level == .baseline ? "baseline" : "fused") "
            + "functions \(MathLibrary.digest) \(Self.text(options)) "
        let needed = Self.byteCount(trained, data, options, threads: pool.threads)
        guard needed <= options.memoryLimit else { throw .outOfMemory(needed: needed, limit: options.memoryLimit, what: "training") }
        let shards = min(options.gradientShards, options.rowsPerStep)
        gradients = (0..<shards).map { _ in FloatBuffer(trained.parameters.count) }
        first = FloatBuffer(trained.parameters.count)
        second = FloatBuffer(trained.parameters.count)
        passes = (0..<pool.threads).map { _ in
            SequencePass(
                trained.weights, rotary: trained.rotary, kernels: pool.kernels, capacity: data.longest, rank: trained.adapter?.rank ?? 0)
        }
        if options.patience != nil { best = FloatBuffer(trained.parameters.count) }
    }

    /// Everything that decides a byte of the result.
    private static func text(_ o: TrainingOptions) -> String {
        "steps \(o.steps ?? -1) epochs \(o.epochs) rows \(o.rowsPerStep) rate \(o.learningRate) \(o.schedule) \(o.minimumRate) "
            + "warmup \(o.warmupSteps) adam \(o.beta1) \(o.beta2) \(o.epsilon) decay \(o.weightDecay) "
            + "norm \(o.maximumGradientNorm ?? -1) seed \(o.seed) evaluate \(o.evaluateEvery) patience \(o.patience ?? -1) shards \(o.gradientShards)"
    }

    /// Bytes that a run takes, the base model included.
    static func byteCount(_ trained: Trainable, _ data: TrainingData, _ options: TrainingOptions, threads: Int) -> Int {
        let copies = options.parameterCopies
        let workspace = SequencePass.byteCount(trained.weights.configuration, capacity: data.longest, rank: trained.adapter?.rank ?? 0)
        return trained.baseBytes + trained.parameters.count * 4 * copies + workspace * threads
    }

    func run(from checkpoint: TrainingCheckpoint?) throws -> TrainingOutcome {
        if let checkpoint { try restore(checkpoint) } else if !data.holdOut.isEmpty { try evaluate() }
        var cache = (epoch: -1, order: [Int]())
        while step < order.steps {
            let metrics = try advance(order.rows(step: step, cache: &cache))
            var decision = report(.step(metrics))
            if decision == .cancel { throw EngineError.cancelled }
            if !data.holdOut.isEmpty, isDue(options.evaluateEvery) || step == order.steps {
                let next = try evaluate()
                if decision == .proceed { decision = next }
                if let patience = options.patience, stale >= patience { return try finish(.stoppedEarly) }
            }
            if decision == .pause, step < order.steps {
                let checkpoint = snapshot()
                if report(.checkpoint(checkpoint)) == .cancel { throw EngineError.cancelled }
                var outcome = try finish(.paused)
                outcome.checkpoint = checkpoint
                return outcome
            }
            if isDue(options.checkpointEvery), step < order.steps, report(.checkpoint(snapshot())) == .cancel {
                throw EngineError.cancelled
            }
        }
        let checkpoint = options.keepsHalf ? snapshot() : nil
        var outcome = try finish(.finished)
        outcome.checkpoint = checkpoint
        return outcome
    }

    private func isDue(_ interval: Int) -> Bool { interval > 0 && step % interval == 0 }

    private func finish(_ end: TrainingOutcome.End) throws -> TrainingOutcome {
        var kept = step
        if end != .paused, let best, !evaluations.isEmpty {
            memcpy(trained.parameters.base, best.base, best.count * 4)
            kept = bestStep
        }
        return TrainingOutcome(
            end: end, steps: step, tokens: tokens, finalLoss: lastLoss, evaluations: evaluations, keptStep: kept,
            kernelLevel: pool.level, checkpoint: nil)
    }

    // MARK: one step

    private func advance(_ rows: [Int]) throws -> TrainingEvent.StepMetrics {
        let targets = rows.reduce(0) { $0 + self.data.rows[$1].targets.count }
        let factor = 1 / Float(targets)
        let shards = min(gradients.count, rows.count)
        let losses = Lock([Double](repeating: 0, count: rows.count))
        let trained = trained, data = data, gradients = gradients, passes = passes
        pool.each(shards) { shard, worker in
            gradients[shard].clear()
            for place in stride(from: shard, to: rows.count, by: shards) {
                let row = data.rows[rows[place]]
                let result = passes[worker].run(
                    row.tokens, targets: row.targets, adapter: trained.adapter, factor: factor, gradient: trained.target(gradients[shard]))
                losses.withLock { $0[place] = result.loss }
            }
        }
        let loss = Float(losses.withLock { $0 }.reduce(0, +) / Double(targets))
        guard loss.isFinite else { throw EngineError.diverged(step: step + 1, what: "the loss") }
        let norm = sumGradients(shards)
        guard norm.isFinite else { throw EngineError.diverged(step: step + 1, what: "the gradient") }
        let rate = options.rate(step: step, of: order.steps)
        let clip = options.maximumGradientNorm.map { norm > $0 ? $0 / norm : 1 } ?? 1
        update(rate: rate, clip: clip)
        step += 1
        tokens += rows.reduce(0) { $0 + data.rows[$1].tokens.count }
        lastLoss = loss
        if options.keepsHalf, half == nil, step * 2 >= order.steps { half = FloatBuffer(trained.parameters.values) }
        return TrainingEvent.StepMetrics(
            step: step, totalSteps: order.steps, loss: loss, learningRate: rate, gradientNorm: norm, tokens: tokens)
    }

    /// Adds the shards into the first, in order; gives the L2 norm.
    private func sumGradients(_ shards: Int) -> Float {
        let piece = 65_536, count = gradients[0].count, pieces = (count + piece - 1) / piece
        let sums = Lock([Double](repeating: 0, count: pieces))
        let gradients = gradients, k = pool.kernels
        pool.each(pieces) { index, _ in
            let start = index * piece, length = min(piece, count - start)
            for shard in 1..<max(1, shards) {
                k.table.add_scaled(gradients[0].base + start, gradients[shard].base + start, 1, Int64(length))
            }
            let sum = k.table.square_sum(gradients[0].base + start, Int64(length))
            sums.withLock { $0[index] = sum }
        }
        return Float(sums.withLock { $0 }.reduce(0, +).squareRoot())
    }

    private func update(rate: Float, clip: Float) {
        let o = options, t = Float(step + 1)
        let correction1 = 1 / (1 - powf(o.beta1, t)), correction2 = 1 / (1 - powf(o.beta2, t))
        let piece = 65_536
        var pieces: [(start: Int, count: Int, decay: Float)] = []
        for part in trained.parts {
            for start in stride(from: part.range.lowerBound, to: part.range.upperBound, by: piece) {
                pieces.append((start, min(piece, part.range.upperBound - start), part.decays ? o.weightDecay : 0))
            }
        }
        let p = trained.parameters, g = gradients[0], m = first, v = second, k = pool.kernels, list = pieces
        pool.each(list.count) { index, _ in
            let (start, count, decay) = list[index]
            k.table.adamw(
                p.base + start, g.base + start, m.base + start, v.base + start, Int64(count), rate, o.beta1, o.beta2, o.epsilon, decay,
                correction1, correction2, clip)
        }
    }

    // MARK: hold-out

    @discardableResult
    private func evaluate() throws -> TrainingDecision {
        let rows = data.holdOut, passes = passes, trained = trained
        let results = Lock([SequencePass.Result](repeating: .init(), count: rows.count))
        pool.each(rows.count) { index, worker in
            let result = passes[worker].run(
                rows[index].tokens, targets: rows[index].targets, adapter: trained.adapter, factor: 1, gradient: nil)
            results.withLock { $0[index] = result }
        }
        let all = results.withLock { $0 }
        let targets = all.reduce(0) { $0 + $1.targets }
        let loss = Float(all.reduce(0) { $0 + $1.loss } / Double(targets))
        guard loss.isFinite else { throw EngineError.diverged(step: step, what: "the loss on the hold-out") }
        let isBest = loss < bestLoss
        if isBest {
            bestLoss = loss
            bestStep = step
            stale = 0
            if let best { memcpy(best.base, trained.parameters.base, best.count * 4) }
        } else {
            stale += 1
        }
        let metrics = TrainingEvent.EvaluationMetrics(
            step: step, loss: loss, tokenAccuracy: Float(all.reduce(0) { $0 + $1.hits }) / Float(targets), isBest: isBest)
        evaluations.append(metrics)
        let decision = report(.evaluation(metrics))
        if decision == .cancel { throw EngineError.cancelled }
        return decision
    }

    // MARK: checkpoints

    private func snapshot() -> TrainingCheckpoint {
        TrainingCheckpoint(
            step: step, tokens: tokens, identity: identity, lastLoss: lastLoss, parameters: trained.parameters.values,
            firstMoments: first.values, secondMoments: second.values, best: best?.values, bestStep: bestStep, half: half?.values,
            evaluations: evaluations, stale: stale)
    }

    private func restore(_ checkpoint: TrainingCheckpoint) throws {
        guard checkpoint.identity == identity else {
            throw EngineError.badCheckpoint("it belongs to another run. Its run: \(checkpoint.identity); this run: \(identity)")
        }
        let count = trained.parameters.count
        guard checkpoint.parameters.count == count, (checkpoint.best == nil) == (best == nil), checkpoint.step <= order.steps else {
            throw EngineError.badCheckpoint(
                "it has \(checkpoint.parameters.count) parameters at step \(checkpoint.step), the run has \(count)")
        }
        // Without it the rows of influence would not be those of a run that was never interrupted.
        guard !options.keepsHalf || checkpoint.half != nil || checkpoint.step * 2 < order.steps else {
            throw EngineError.badCheckpoint("it is of step \(checkpoint.step), past half way, and has not the parameters of half way")
        }
        func copy(_ values: [Float], to buffer: FloatBuffer?) {
            guard let buffer else { return }
            values.withUnsafeBufferPointer { if let from = $0.baseAddress { memcpy(buffer.base, from, values.count * 4) } }
        }
        copy(checkpoint.parameters, to: trained.parameters)
        copy(checkpoint.firstMoments, to: first)
        copy(checkpoint.secondMoments, to: second)
        if let values = checkpoint.best { copy(values, to: best) }
        half = options.keepsHalf ? checkpoint.half.map { FloatBuffer($0) } : nil
        step = checkpoint.step
        tokens = checkpoint.tokens
        lastLoss = checkpoint.lastLoss
        bestStep = checkpoint.bestStep
        evaluations = checkpoint.evaluations
        stale = checkpoint.stale
        bestLoss = checkpoint.evaluations.map(\.loss).min() ?? .infinity
    }
}
