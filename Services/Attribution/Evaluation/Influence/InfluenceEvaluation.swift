import AttributionDomain
public import Crypto
public import Engine

/// Measures what attribution by influence promises, on a small model of our own: how well scores foretell what a model would have
/// been without some of its rows, and what attacks earn. Seeds are fixed; the truth comes from training again and again.
public struct InfluenceEvaluation: Sendable {
    let world: InfluenceWorld
    let recipe: Learned.Recipe
    var choices: Choices
    /// The attackers' own, so that what they do does not hang on how many halves there are.
    var attackersChoices: Choices
    let kept: KeptResults
    private let subsets: Int
    private let seeds: Int
    let note: @Sendable (String) -> Void

    /// - Parameters:
    ///   - datanets: the items of each; contributors are taken from all of them.
    ///   - base: names the model.
    ///   - subsets: how many models are trained on a random half of the rows (Park et al., arXiv 2303.14186, §2).
    ///   - seeds: over how many trainings the loss of each half is averaged. Without one contributor over twice as many: what one changes is
    ///     little beside what another order of the rows does.
    ///   - note: hears how far it is.
    public init(
        datanets: [[EvaluationItem]], model: LanguageModel, base: Digest, tokenizer: Tokenizer, pool: ComputePool, contributors: Int = 16,
        subsets: Int = 40, seeds: Int = 1, seed: UInt64 = 7, kept: KeptResults, note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        choices = Choices(state: seed)
        attackersChoices = Choices(state: seed ^ 0xA77A)
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
        let found = try await scores([(world.rows, .ekfac), (world.rows, .dataInf)])
        let (ekfac, dataInf) = (found[0], found[1])
        facts(&table, ekfac)
        try await leavingOut(&table, ekfac)
        try await foretelling(&table, ekfac, dataInf)
        try await attacks(&table)
    }

    /// What attacks earn, and nothing else.
    public mutating func runAttacks(into table: inout EvaluationTable) async throws { try await attacks(&table) }

    /// What one training shows, without any to compare it with: some seconds.
    public func runQuickly(into table: inout EvaluationTable) async throws {
        let honest = try await scores(world.rows, by: .ekfac)
        facts(&table, honest)
        try splitting(&table, standing(honest), honest)
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
        _ rows: [InfluenceWorld.Row], by method: Method, queries: [InfluenceWorld.Row]? = nil, others: [InfluenceWorld.Row]? = nil,
        pool: ComputePool? = nil
    ) async throws -> [[Double]] {
        let (queries, others) = (queries ?? world.queries, others ?? canaries)
        let recipe = pool.map { self.recipe.with(seed: self.recipe.options.seed, pool: $0) } ?? self.recipe
        return try await kept.lists(recipe.digest(method.rawValue, rows, others, queries)) {
            note("\(method.rawValue) of \(rows.count) rows")
            let learned = try await Learned(rows, recipe)
            return switch method {
            case .ekfac: try await learned.ekfac(learned: rows, others: others, queries, recipe)
            case .dataInf: try await learned.dataInf(learned: rows, others: others, queries, recipe)
            }
        }
    }

    /// The scores of several lists of rows, side by side.
    func scores(_ lists: [(rows: [InfluenceWorld.Row], method: Method)]) async throws -> [[[Double]]] {
        let evaluation = self
        let (rows, methods) = (lists.map(\.rows), lists.map(\.method))
        return try await trainings.each(lists.count) { place, pool in
            try await evaluation.scores(rows[place], by: methods[place], pool: pool)
        }
    }

    private var trainings: Trainings { Trainings(recipe: recipe, kept: kept, queries: world.queries, note: note) }

    // MARK: Right

    /// The linear datamodelling score: how well the scores of the rows of a half order the losses of models that learned that half.
    private mutating func foretelling(_ table: inout EvaluationTable, _ ekfac: [[Double]], _ dataInf: [[Double]]) async throws {
        let halves = (0..<subsets).map { _ in world.rows.indices.shuffled(using: &choices).prefix(world.rows.count / 2).sorted() }
        let losses = try await trainings.losses(of: halves.map { half in half.map { world.rows[$0] } }, seeds: seeds) {
            "half of the rows, number \($0 + 1)"
        }
        let gains = losses.map { $0.map { -$0 } }
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
        let without = world.names.indices.map { owner in world.rows.filter { $0.owner != owner } }
        let losses = try await trainings.losses(of: [world.rows] + without, seeds: 2 * seeds) {
            $0 == 0 ? "all rows" : "without contributor \($0)"
        }
        let rises = losses.dropFirst().map { own in zip(own, losses[0]).map { $0 - $1 } }
        var hits = (written: 0, facts: 0)
        for (number, query) in world.queries.enumerated() {
            var sums = [Double](repeating: 0, count: world.names.count)
            for (row, score) in zip(world.rows, scores[number]) { sums[row.owner] += score }
            let truth = world.names.indices.max { rises[$0][number] < rises[$1][number] }
            guard world.names.indices.max(by: { sums[$0] < sums[$1] }) == truth else { continue }
            if query.fact == nil { hits.written += 1 } else { hits.facts += 1 }
        }
        let (count, facts) = (Double(world.queries.count), Double(world.queries.count { $0.fact != nil }))
        let parts =
            "\(EvaluationTable.number(Double(hits.written) / (count - facts))) of what people wrote, "
            + "\(EvaluationTable.number(Double(hits.facts) / facts)) of planted facts"
        table.add(
            "influence: leave-one-contributor-out over \(2 * seeds) trainings, first place right (\(parts))",
            Double(hits.written + hits.facts) / count, atLeast: 0.70)
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
