import AttributionDomain
public import Crypto
public import Engine

/// Measures what attribution by influence promises, on a small model of our own: how well scores foretell what a model would have
/// been without some of its rows, and what attacks earn. Seeds are fixed; the truth comes from training again and again.
public struct InfluenceEvaluation: Sendable {
    let world: InfluenceWorld
    let recipe: Learned.Recipe
    var choices: Choices
    let kept: KeptResults
    private let subsets: Int
    private let seeds: Int
    let note: @Sendable (String) -> Void

    /// - Parameters:
    ///   - datanets: the items of each; contributors are taken from all of them.
    ///   - base: names the model.
    ///   - subsets: how many models are trained on a random half of the rows (Park et al., arXiv 2303.14186, §2).
    ///   - seeds: over how many trainings the loss of each half is averaged.
    ///   - note: hears how far it is.
    public init(
        datanets: [[EvaluationItem]], model: LanguageModel, base: Digest, tokenizer: Tokenizer, pool: ComputePool, contributors: Int = 16,
        subsets: Int = 40, seeds: Int = 1, seed: UInt64 = 7, kept: KeptResults, note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        choices = Choices(state: seed)
        world = try InfluenceWorld(
            datanets, tokenizer: tokenizer, vocabulary: model.configuration.vocabularySize, contributors: contributors, choices: &choices)
        recipe = Learned.Recipe(model: model, base: base, pool: pool, seed: seed)
        self.subsets = subsets
        self.seeds = seeds
        self.kept = kept
        self.note = note
    }

    /// Runs everything: some minutes of two cores.
    public mutating func run(into table: inout EvaluationTable) async throws {
        let ekfac = try await scores(world.rows, by: .ekfac)
        let dataInf = try await scores(world.rows, by: .dataInf)
        facts(&table, ekfac)
        try await leavingOut(&table, ekfac)
        try await foretelling(&table, ekfac, dataInf)
        try await attacks(&table)
    }

    // MARK: What is computed

    enum Method: String {
        case ekfac, dataInf
    }

    /// Rows that nobody learns from, beside the others: what garbage would earn. As a runner makes them.
    var canaries: [InfluenceWorld.Row] {
        CanaryRows.examples(length: InfluenceWorld.length, vocabulary: world.vocabulary, seed: 7).enumerated().map { number, example in
            InfluenceWorld.Row(item: "canary\(number / CanaryRows.rowsOfEach)-\(number)", owner: -1, example: example)
        }
    }

    /// Query by query the scores of rows that a model learned, and then those of the canaries.
    func scores(
        _ rows: [InfluenceWorld.Row], by method: Method, queries: [InfluenceWorld.Row]? = nil, others: [InfluenceWorld.Row]? = nil
    ) async throws -> [[Double]] {
        let (queries, others) = (queries ?? world.queries, others ?? canaries)
        return try await kept.lists(recipe.digest(method.rawValue, rows, others, queries)) {
            note("\(method.rawValue) of \(rows.count) rows")
            let learned = try await Learned(rows, recipe)
            return switch method {
            case .ekfac: try await learned.ekfac(learned: rows, others: others, queries, recipe)
            case .dataInf: try await learned.dataInf(learned: rows, others: others, queries, recipe)
            }
        }
    }

    /// The loss of each query after learning rows, averaged over the seeds.
    private func losses(_ rows: [InfluenceWorld.Row], _ what: String) async throws -> [Double] {
        var sums = [Double](repeating: 0, count: world.queries.count)
        for seed in 0..<seeds {
            let recipe = recipe.with(seed: recipe.options.seed + UInt64(seed))
            let lists = try await kept.lists(recipe.digest("losses", rows, world.queries)) {
                note("training \(what)\(seed > 0 ? ", seed \(seed + 1)" : "")")
                return [try await Learned(rows, recipe).losses(world.queries, recipe)]
            }
            for (query, loss) in lists[0].enumerated() { sums[query] += loss / Double(seeds) }
        }
        return sums
    }

    // MARK: Right

    /// The linear datamodelling score: how well the scores of the rows of a half order the losses of models that learned that half.
    private mutating func foretelling(_ table: inout EvaluationTable, _ ekfac: [[Double]], _ dataInf: [[Double]]) async throws {
        var halves: [[Int]] = []
        var gains: [[Double]] = []
        for number in 0..<subsets {
            let half = world.rows.indices.shuffled(using: &choices).prefix(world.rows.count / 2).sorted()
            halves.append(half)
            let losses = try await losses(half.map { world.rows[$0] }, "on half of the rows, \(number + 1) of \(subsets)")
            gains.append(losses.map { -$0 })
        }
        func score(_ scores: [[Double]]) -> Double {
            var sum = 0.0
            for query in world.queries.indices {
                let foretold = halves.map { half in half.reduce(0.0) { $0 + scores[query][$1] } }
                sum += Agreement.spearman(foretold, gains.map { $0[query] })
            }
            return sum / Double(world.queries.count)
        }
        let (ours, theirs) = (score(ekfac), score(dataInf))
        table.add(
            "influence: LDS of EK-FAC over \(subsets) halves, \(EvaluationTable.number(ours)), above that of DataInf, "
                + EvaluationTable.number(theirs), ours - theirs, atLeast: 0.08)
    }

    /// For how many queries the contributor with the highest score is the one without whom the loss rises most.
    private func leavingOut(_ table: inout EvaluationTable, _ scores: [[Double]]) async throws {
        let whole = try await losses(world.rows, "on all \(world.rows.count) rows")
        var rises: [[Double]] = []
        for owner in world.names.indices {
            let losses = try await losses(
                world.rows.filter { $0.owner != owner }, "without contributor \(owner + 1) of \(world.names.count)")
            rises.append(zip(losses, whole).map { $0 - $1 })
        }
        var hits = 0
        for query in world.queries.indices {
            var sums = [Double](repeating: 0, count: world.names.count)
            for (row, score) in zip(world.rows, scores[query]) { sums[row.owner] += score }
            let truth = world.names.indices.max { rises[$0][query] < rises[$1][query] }
            if world.names.indices.max(by: { sums[$0] < sums[$1] }) == truth { hits += 1 }
        }
        table.add(
            "influence: leave-one-contributor-out, first place right", Double(hits) / Double(world.queries.count), atLeast: 0.70)
    }

    /// Where the row that tells a fact stands among all rows, by the score for a question about it.
    private func facts(_ table: inout EvaluationTable, _ scores: [[Double]]) {
        var (sum, count) = (0.0, 0)
        for (query, line) in zip(world.queries, scores) {
            guard let fact = query.fact, let place = world.rows.firstIndex(where: { $0.fact == fact }) else { continue }
            sum += 1 / Double(1 + line.prefix(world.rows.count).count { $0 > line[place] })
            count += 1
        }
        table.add("influence: mean reciprocal rank of planted facts", sum / Double(max(1, count)), atLeast: 0.98)
    }
}
