import AttributionDomain
import Crypto
import Engine

/// What attackers earn by influence, each with the defence off and on.
extension InfluenceEvaluation {
    /// Who stands behind an owner's number, and which item heads a row's cluster.
    struct Names {
        var owner: (Int) -> String = { "o\($0)" }
        var head: [String: String] = [:]
    }

    mutating func attacks(_ table: inout EvaluationTable, honest: [[Double]], _ note: @Sendable (String) -> Void) async throws {
        let before = try earnings(honest, of: world.rows)
        let fair = before.values.reduce(0, +) / Double(world.names.count)
        // Four who earn neither most nor least.
        let order = world.names.indices.sorted { (before["o\($0)"] ?? 0, $0) < (before["o\($1)"] ?? 0, $1) }
        let start = (order.count - 4) / 2
        let attackers = Set(order[start..<start + 4])
        func share(_ found: [String: Double]) -> Double { attackers.reduce(0) { $0 + (found["o\($1)"] ?? 0) } }
        let own = share(before)

        note("attack: garbage")
        let outside = world.names.count
        var garbage: [InfluenceWorld.Row] = []
        for number in 0..<4 { garbage += world.garbage(owner: outside + number, prefix: "garbage\(number)", choices: &choices) }
        var canaries: [InfluenceWorld.Row] = []
        for number in 0..<2 { canaries += world.garbage(owner: outside + 4 + number, prefix: "canary\(number)", choices: &choices) }
        let planted = Dictionary(uniqueKeysWithValues: canaries.map { ($0.item, String($0.item.prefix { $0 != "-" })) })
        let littered = world.rows + garbage + canaries
        let scores = try await scored(littered)
        func litter(_ found: [String: Double]) -> Double { (0..<4).reduce(0) { $0 + (found["o\(outside + $1)"] ?? 0) } / 4 / fair }
        table.add(
            "influence: garbage, of a fair share",
            without: litter(try earnings(scores, of: world.rows + garbage, in: littered)),
            litter(try earnings(scores, of: littered, canaries: planted)), atMost: 0.15)

        note("attack: copies of one's own")
        let copies = (1...3).flatMap { number in
            world.rows.filter { attackers.contains($0.owner) }.map {
                InfluenceWorld.Row(item: "copy\(number)-" + $0.item, owner: $0.owner, example: $0.example)
            }
        }
        let repeated = try earnings(try await scored(world.rows + copies), of: world.rows + copies)
        table.add("influence: ×4 self-duplication, of their share before", share(repeated) / own, atMost: 1.10)

        note("attack: copies of another's")
        if let victim = order.last {
            let stolen = world.rows.filter { $0.owner == victim }.map {
                InfluenceWorld.Row(item: "theft-" + $0.item, owner: outside, example: $0.example)
            }
            let all = world.rows + stolen
            let scores = try await scored(all)
            var clusters = Names()
            for row in stolen { clusters.head[row.item] = String(row.item.dropFirst("theft-".count)) }
            let whole = before["o\(victim)"] ?? 1
            table.add(
                "influence: copycat of the best earner, of that one's share",
                without: (try earnings(scores, of: all)["o\(outside)"] ?? 0) / whole,
                (try earnings(scores, of: all, names: clusters)["o\(outside)"] ?? 0) / whole, atMost: 0)
        }

        // The same rows and scores, under four names each.
        let split = world.rows.enumerated().map { number, row in
            attackers.contains(row.owner)
                ? InfluenceWorld.Row(item: row.item, owner: 100 + row.owner * 4 + number % 4, example: row.example) : row
        }
        var verified = Names()
        verified.owner = { $0 >= 100 ? "o\(($0 - 100) / 4)" : "o\($0)" }
        let shells = try earnings(honest, of: split).filter { $0.key.count > 3 }.values.reduce(0, +)
        table.add(
            "influence: split among four names, of their share before", without: shells / own,
            share(try earnings(honest, of: split, names: verified)) / own, atMost: 1.05)

        note("attack: rare words")
        let strange = world.rows.map { attackers.contains($0.owner) ? world.strange($0, choices: &choices) : $0 }
        let odd = try await scored(strange)
        table.add(
            "influence: outliers by rare words, of their share before", without: share(try earnings(odd, of: strange, cap: 0)) / own,
            share(try earnings(odd, of: strange)) / own, atMost: 1.10)
    }

    private func scored(_ rows: [InfluenceWorld.Row]) async throws -> [[Double]] {
        try await Learned(rows, recipe).ekfac(rows, world.queries, recipe)
    }

    /// What each owner earns on average for an answer, by the product's own payout rule.
    /// - Parameters:
    ///   - rows: those that may be paid, and canaries.
    ///   - all: the rows that the scores are of; `rows` when left out.
    private func earnings(
        _ scores: [[Double]], of rows: [InfluenceWorld.Row], in all: [InfluenceWorld.Row]? = nil, canaries: [String: String] = [:],
        names: Names = Names(), cap: Int? = nil
    ) throws -> [String: Double] {
        var facts: [String: ItemFacts] = [:]
        for (position, row) in rows.enumerated() where canaries[row.item] == nil {
            facts[row.item] = ItemFacts(
                owner: names.owner(row.owner), position: position, head: names.head[row.item], tokens: row.example.tokens.count)
        }
        let items = SnapshotItems(facts)
        var policy = AttributionPolicy()
        policy.weights = [.influence: Apportionment.whole]
        policy.threshold = 0
        policy.fallback = .methods
        if let cap { policy.outlierCap = cap }
        let ids = (all ?? rows).map(\.item)
        let answer = try WordSequence("an answer of some words")
        let prompt = try WordSequence("")
        var sums: [String: Double] = [:]
        for line in scores {
            // Whole numbers of 40 bits keep nine digits of the largest score.
            let top = line.map { abs($0) }.max() ?? 0
            let exponent = top > 0 ? Int(top.exponent) - 39 : 0
            let unit = Double(sign: .plus, exponent: exponent, significand: 1)
            let input = InfluenceInput(
                checkpoints: [
                    InfluenceScores(
                        rows: .zero, query: .zero, items: ids, scores: line.map { Int64(($0 / unit).rounded()) }, exponent: exponent)
                ], canaries: canaries)
            let result = try Attribution.compute(answer: answer, prompt: prompt, index: nil, influence: input, items: items, policy: policy)
            guard !result.isFallback else { continue }
            for share in result.shares { sums[share.owner, default: 0] += Double(share.share) / 1e9 }
        }
        return sums.mapValues { $0 / Double(scores.count) }
    }
}
