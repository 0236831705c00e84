import Crypto
import Engine

/// A small model that has learned rows, and what its influence scores say.
struct Learned: Sendable {
    let adapter: Adapter
    /// Half way through, and at the end: where influence is measured.
    let checkpoints: [Adapter]

    /// How every model of the evaluation is trained.
    struct Recipe: Sendable {
        let model: LanguageModel
        /// Names the model.
        let base: Digest
        let pool: ComputePool
        var lora = LoRAOptions(rank: 4, alpha: 8)
        var options: TrainingOptions

        init(model: LanguageModel, base: Digest, pool: ComputePool, seed: UInt64) {
            self.model = model
            self.base = base
            self.pool = pool
            options = TrainingOptions()
            options.epochs = 5
            options.rowsPerStep = 16
            options.learningRate = 5e-3
            options.warmupSteps = 4
            options.seed = seed
            options.checkpointEvery = 0
        }

        /// The same recipe with another order of rows and other first values, on other threads.
        func with(seed: UInt64, pool: ComputePool) -> Recipe { Recipe(model: model, base: base, pool: pool, seed: seed) }

        /// Names what is computed of rows: all that it follows from.
        func digest(_ what: String, _ lists: [InfluenceWorld.Row]...) -> Digest {
            let hasher = SHA256Hasher()
            func put(_ text: String) { hasher.update(Array((text + "\n").utf8)) }
            put("evaluation/1 \(what) \(base.hex) rank 4 alpha 8 epochs 5 rate 5e-3 seed \(options.seed)")
            for rows in lists {
                put("\(rows.count)")
                for row in rows { put("\(row.example.targets.first ?? 0) \(row.example.tokens)") }
            }
            return hasher.finish()
        }
    }

    /// Trains, with a stop half way.
    init(_ rows: [InfluenceWorld.Row], _ recipe: Recipe) async throws {
        let trainer = try LoRATrainer(model: recipe.model, lora: recipe.lora, options: recipe.options, pool: recipe.pool)
        let examples = rows.map(\.example)
        let half = try await trainer.train(examples) { event in
            if case .step(let step) = event, step.step * 2 >= step.totalSteps, step.step < step.totalSteps { return .pause }
            return .proceed
        }
        guard let checkpoint = half.outcome.checkpoint else {
            (adapter, checkpoints) = (half.adapter, [half.adapter])
            return
        }
        adapter = try await trainer.train(examples, resume: checkpoint).adapter
        checkpoints = [half.adapter, adapter]
    }

    /// The loss of each query.
    func losses(_ queries: [InfluenceWorld.Row], _ recipe: Recipe) async throws -> [Double] {
        try await recipe.model.evaluate(queries.map(\.example), adapter: adapter, pool: recipe.pool).rowLosses
    }

    /// EK-FAC by the stored int8 rows, as the product computes it: query by query, a score for each row, those learned and then others.
    func ekfac(
        learned: [InfluenceWorld.Row], others: [InfluenceWorld.Row], _ queries: [InfluenceWorld.Row], _ recipe: Recipe
    ) async throws -> [[Double]] {
        let factors = try await InfluenceFactors.fit(
            model: recipe.model, checkpoints: checkpoints, rows: learned.map(\.example), pool: recipe.pool)
        let training = try await factors.rows((learned + others).map(\.example), role: .training, pool: recipe.pool)
        let answers = try await factors.rows(queries.map(\.example), role: .answer, pool: recipe.pool)
        var scores: [[Double]] = []
        for answer in answers {
            var line: [Double] = []
            for row in training { line.append(try InfluenceRow.score(training: row, answer: answer)) }
            scores.append(line)
        }
        return scores
    }

    /// DataInf at the end of the training.
    func dataInf(
        learned: [InfluenceWorld.Row], others: [InfluenceWorld.Row], _ queries: [InfluenceWorld.Row], _ recipe: Recipe
    ) async throws -> [[Double]] {
        let rows = learned + others
        let training = try await recipe.model.gradients(of: rows.map(\.example), adapter: adapter, pool: recipe.pool)
        let answers = try await recipe.model.gradients(of: queries.map(\.example), adapter: adapter, pool: recipe.pool)
        let all = try DataInf.scores(
            training: training.values, queries: answers.values, tensors: training.tensors, dimension: training.dimension, pool: recipe.pool)
        return queries.indices.map { Array(all[$0 * rows.count..<($0 + 1) * rows.count]) }
    }
}

/// Figures of agreement.
enum Agreement {
    /// Spearman's rank correlation; ties share their rank.
    static func spearman(_ left: [Double], _ right: [Double]) -> Double {
        let (a, b) = (ranks(left), ranks(right))
        let (meanA, meanB) = (a.reduce(0, +) / Double(a.count), b.reduce(0, +) / Double(b.count))
        var (both, first, second) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            both += (x - meanA) * (y - meanB)
            first += (x - meanA) * (x - meanA)
            second += (y - meanB) * (y - meanB)
        }
        return first > 0 && second > 0 ? both / (first * second).squareRoot() : 0
    }

    private static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end - 1) / 2 }
            start = end
        }
        return ranks
    }
}
