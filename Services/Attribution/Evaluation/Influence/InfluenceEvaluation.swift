import AttributionDomain
public import Engine

/// Measures what attribution by influence promises, on a small model of our own: how well scores foretell what a model would have
/// been without some of its rows, and what attacks earn. Seeds are fixed; the truth comes from training again and again.
public struct InfluenceEvaluation {
    let world: InfluenceWorld
    let recipe: Learned.Recipe
    var choices: Choices
    private let subsets: Int
    private let note: @Sendable (String) -> Void

    /// - Parameters:
    ///   - subsets: how many models are trained on a random half of the rows (Park et al., arXiv 2303.14186, §2).
    ///   - note: hears how far it is.
    public init(
        items: [EvaluationItem], model: LanguageModel, tokenizer: Tokenizer, pool: ComputePool, contributors: Int = 16, subsets: Int = 40,
        seed: UInt64 = 7, note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        choices = Choices(state: seed)
        world = try InfluenceWorld(
            items, tokenizer: tokenizer, vocabulary: model.configuration.vocabularySize, contributors: contributors, choices: &choices)
        recipe = Learned.Recipe(model: model, pool: pool, seed: seed)
        self.subsets = subsets
        self.note = note
    }

    /// Runs everything: some minutes of two cores.
    public mutating func run(into table: inout EvaluationTable) async throws {
        note("training on all \(world.rows.count) rows")
        let whole = try await Learned(world.rows, recipe)
        let ekfac = try await whole.ekfac(world.rows, world.queries, recipe)
        let dataInf = try await whole.dataInf(world.rows, world.queries, recipe)
        try await foretelling(&table, ekfac, dataInf)
        try await leavingOut(&table, ekfac, try await whole.losses(world.queries, recipe))
        facts(&table, ekfac)
        try await attacks(&table, honest: ekfac, note)
    }

    // MARK: Right

    /// The linear datamodelling score: how well the scores of the rows of a half order the losses of models that learned that half.
    private mutating func foretelling(_ table: inout EvaluationTable, _ ekfac: [[Double]], _ dataInf: [[Double]]) async throws {
        var halves: [[Int]] = []
        var gains: [[Double]] = []
        for number in 0..<subsets {
            note("training on half of the rows, \(number + 1) of \(subsets)")
            let half = world.rows.indices.shuffled(using: &choices).prefix(world.rows.count / 2).sorted()
            let learned = try await Learned(half.map { world.rows[$0] }, recipe)
            halves.append(half)
            gains.append(try await learned.losses(world.queries, recipe).map { -$0 })
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
        table.add("influence: LDS of EK-FAC over \(subsets) halves", ours, atLeast: 0.5)
        table.add(
            "influence: LDS of EK-FAC above that of DataInf, which is \(EvaluationTable.number(theirs))", ours - theirs, atLeast: 0.08)
    }

    /// For how many queries the contributor with the highest score is the one without whom the loss rises most.
    private func leavingOut(_ table: inout EvaluationTable, _ scores: [[Double]], _ whole: [Double]) async throws {
        var rises: [[Double]] = []
        for owner in world.names.indices {
            note("training without contributor \(owner + 1) of \(world.names.count)")
            let learned = try await Learned(world.rows.filter { $0.owner != owner }, recipe)
            rises.append(zip(try await learned.losses(world.queries, recipe), whole).map { $0 - $1 })
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
            sum += 1 / Double(1 + line.count { $0 > line[place] })
            count += 1
        }
        table.add("influence: mean reciprocal rank of planted facts", sum / Double(max(1, count)), atLeast: 0.98)
    }
}
