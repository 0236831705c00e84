import AttributionDomain
import Crypto
import Engine

/// What attackers earn by influence, each with the defence off and on.
extension InfluenceEvaluation {
    /// How scores are paid: who stands behind an owner's number, which item heads a row's cluster, and which defences stand.
    struct Payment {
        var owner: (Int) -> String = { "o\($0)" }
        var head: [String: String] = [:]
        var parties = Parties.alone
        var hasCanaries = true
        var cap: Int?
        /// The rules that pay.
        var rules = AttributionPolicy().rules
        /// Whether the answers say what the prompts had said.
        var isEcho = false

        /// No defence at all.
        static var bare: Payment {
            var payment = Payment()
            payment.hasCanaries = false
            payment.cap = 0
            payment.rules = 3
            return payment
        }

        /// Copies, whose items are named `copy…/ITEM` or `theft/ITEM`, join the cluster of what they are copies of.
        static func clusters(of rows: [InfluenceWorld.Row]) -> Payment {
            var payment = Payment()
            for row in rows where row.item.contains("/") { payment.head[row.item] = String(row.item.drop { $0 != "/" }.dropFirst()) }
            return payment
        }
    }

    /// Who attacks, and what everybody earns while nobody does.
    struct Standing {
        /// Four who earn neither most nor least.
        let attackers: Set<Int>
        /// Who earns most.
        let victim: Int
        let before: [String: Double]
        let bareBefore: [String: Double]

        /// The attackers' part.
        func share(_ found: [String: Double]) -> Double { attackers.reduce(0) { $0 + (found["o\($1)"] ?? 0) } }
    }

    func standing(_ honest: [[Double]]) throws -> Standing {
        let before = try earnings(honest, of: world.rows), bareBefore = try earnings(honest, of: world.rows, .bare)
        let order = world.names.indices.sorted { (before["o\($0)"] ?? 0, $0) < (before["o\($1)"] ?? 0, $1) }
        let start = (order.count - 4) / 2
        return Standing(
            attackers: Set(order[start..<start + 4]), victim: order.last ?? 0, before: before, bareBefore: bareBefore)
    }

    mutating func attacks(_ table: inout EvaluationTable) async throws {
        let honest = try await scores(world.rows, by: .ekfac)
        let standing = try self.standing(honest)
        let (attackers, victim, before) = (standing.attackers, standing.victim, standing.before)
        func share(_ found: [String: Double]) -> Double { standing.share(found) }
        let (own, bareOwn) = (share(before), share(standing.bareBefore))

        let outside = world.names.count
        var littered = world.rows
        for number in 0..<4 { littered += world.garbage(owner: outside + number, choices: &attackersChoices) }
        let repeated = world.rows + copies(of: attackers, 3)
        let often = world.rows + copies(of: attackers, 9)
        let stolen = world.rows + theft(of: victim)
        let padded = world.rows + paddedTheft(of: victim)
        let strange = world.rows.map { attackers.contains($0.owner) ? world.strange($0, choices: &attackersChoices) : $0 }
        let found = try await scores([
            (littered, .ekfac), (repeated, .ekfac), (repeated, .dataInf), (world.rows, .dataInf), (stolen, .ekfac), (strange, .ekfac),
            (padded, .ekfac), (often, .ekfac),
        ])

        try garbage(&table, littered, found[0])
        let plain = share(try earnings(found[2], of: repeated, .bare)) / share(try earnings(found[3], of: world.rows, .bare))
        // DataInf, which pays for repeats, stands for the defence off: EK-FAC's curvature knows them.
        table.add(
            "influence: ×4 self-duplication, of their share before (off: DataInf)", without: plain,
            share(try earnings(found[1], of: repeated, .clusters(of: repeated))) / own, atMost: 1.10)
        table.add(
            "influence: ×10 self-duplication, of their share before (off: summed)",
            without: share(try earnings(found[7], of: often, .bare)) / bareOwn,
            share(try earnings(found[7], of: often, .clusters(of: often))) / own, atMost: 1.10)
        try copying(&table, stolen, found[4], victim, before["o\(victim)"] ?? 0)
        try paddedCopying(&table, padded, found[6], victim, before["o\(victim)"] ?? 0)
        try splitting(&table, standing, honest)
        try await echo(&table, attackers)
        table.add(
            "influence: outliers by rare words, of their share before",
            without: share(try earnings(found[5], of: strange, .bare)) / bareOwn, share(try earnings(found[5], of: strange)) / own,
            atMost: 1.10)

        let shadowed = try await shadowing(attackers)
        let bent = try await scores(shadowed, by: .ekfac)
        table.add(
            "influence: rows bent by a shadow model, of their share before",
            without: share(try earnings(bent, of: shadowed, .bare)) / bareOwn, share(try earnings(bent, of: shadowed)) / own, atMost: 1.10)
    }

    private func garbage(_ table: inout EvaluationTable, _ littered: [InfluenceWorld.Row], _ scores: [[Double]]) throws {
        let outside = world.names.count
        func part(_ found: [String: Double]) -> Double {
            let fair = found.values.reduce(0, +) / Double(outside + 4)
            return (0..<4).reduce(0) { $0 + (found["o\(outside + $1)"] ?? 0) } / 4 / fair
        }
        table.add(
            "influence: garbage, of a fair share", without: part(try earnings(scores, of: littered, .bare)),
            part(try earnings(scores, of: littered)), atMost: 0.15)
    }

    /// The attackers' rows so many times more.
    private func copies(of attackers: Set<Int>, _ times: Int) -> [InfluenceWorld.Row] {
        (1...times).flatMap { number in
            world.rows.filter { attackers.contains($0.owner) }.map {
                InfluenceWorld.Row(item: "copy\(number)/" + $0.item, owner: $0.owner, example: $0.example)
            }
        }
    }

    /// Another's rows, brought by somebody who has none.
    private func theft(of victim: Int) -> [InfluenceWorld.Row] {
        world.rows.filter { $0.owner == victim }.map {
            InfluenceWorld.Row(item: "theft/" + $0.item, owner: world.names.count, example: $0.example)
        }
    }

    private func copying(
        _ table: inout EvaluationTable, _ all: [InfluenceWorld.Row], _ scores: [[Double]], _ victim: Int, _ whole: Double
    ) throws {
        let thief = "o\(world.names.count)"
        let bare = try earnings(scores, of: all, .bare), defended = try earnings(scores, of: all, .clusters(of: all))
        table.add(
            "influence: copycat of the best earner, of that one's share", without: (bare[thief] ?? 0) / whole,
            (defended[thief] ?? 0) / whole, atMost: 0)
        table.add("influence: what the best earner keeps beside the copycat", (defended["o\(victim)"] ?? 0) / whole, atLeast: 0.90)
    }

    /// Another's rows, a quarter of each with other words in their place, so that none is a near-duplicate.
    private func paddedTheft(of victim: Int) -> [InfluenceWorld.Row] {
        let own = world.shadows.filter { $0.owner != victim }
        return theft(of: victim).enumerated().map { number, row in
            let other = own[number % own.count].example.tokens
            let kept = row.example.tokens.count * 3 / 4
            let tokens = row.example.tokens.prefix(kept) + other.suffix(row.example.tokens.count - kept)
            return InfluenceWorld.Row(item: "padded\(number)", owner: row.owner, example: TrainingExample(tokens: Array(tokens)))
        }
    }

    private func paddedCopying(
        _ table: inout EvaluationTable, _ all: [InfluenceWorld.Row], _ scores: [[Double]], _ victim: Int, _ whole: Double
    ) throws {
        let thief = "o\(world.names.count)"
        let bare = try earnings(scores, of: all, .bare), defended = try earnings(scores, of: all)
        let kept = EvaluationTable.number((defended["o\(victim)"] ?? 0) / whole)
        table.add(
            "influence: copycat with a quarter of other words, of that one's share (who keeps \(kept))",
            without: (bare[thief] ?? 0) / whole, (defended[thief] ?? 0) / whole, atMost: 0.25)
    }

    /// Attackers ask to have their own rows repeated.
    private func echo(_ table: inout EvaluationTable, _ attackers: Set<Int>) async throws {
        let asked = world.rows.filter { attackers.contains($0.owner) }
        let lines = try await scores(world.rows, by: .ekfac, queries: asked)
        func part(_ payment: Payment) throws -> Double {
            try earnings(lines, of: world.rows, payment).filter { name, _ in attackers.contains { name == "o\($0)" } }.values.reduce(0, +)
        }
        var repeated = Payment()
        repeated.isEcho = true
        table.add("influence: prompt echo, share of all credit", without: try part(.bare), try part(repeated), atMost: 0)
    }

    /// The same rows and scores, under four names each.
    func splitting(_ table: inout EvaluationTable, _ standing: Standing, _ honest: [[Double]]) throws {
        let attackers = standing.attackers
        let split = world.rows.enumerated().map { number, row in
            attackers.contains(row.owner)
                ? InfluenceWorld.Row(item: row.item, owner: 100 + row.owner * 4 + number % 4, example: row.example) : row
        }
        var verified = Payment()
        verified.owner = { $0 >= 100 ? "o\(($0 - 100) / 4)" : "o\($0)" }
        let shells = try earnings(honest, of: split, .bare).filter { $0.key.count > 3 }.values.reduce(0, +)
        table.add(
            "influence: split among four names, of their share before", without: shells / standing.share(standing.bareBefore),
            standing.share(try earnings(honest, of: split, verified)) / standing.share(standing.before), atMost: 1.05)
        // The attackers bring it as the work of authors whom nobody has claimed.
        var brought: [String: String] = [:]
        for row in split where row.owner >= 100 { brought["o\(row.owner)"] = "o\((row.owner - 100) / 4)" }
        var unclaimed = Payment()
        unclaimed.parties = Parties(brought)
        let names = try earnings(honest, of: split, unclaimed).filter { brought[$0.key] != nil }.values.reduce(0, +)
        table.add(
            "influence: split among four names that nobody has claimed, of their share before",
            without: shells / standing.share(standing.bareBefore), names / standing.share(standing.before), atMost: 1.05)
    }

    /// The rows that attackers would bring who had texts like everybody's: they train a model of their own on some, and bend their rows
    /// towards what that model says has most influence on the rest (Wang et al., arXiv 2409.05657, §4).
    private mutating func shadowing(_ attackers: Set<Int>) async throws -> [InfluenceWorld.Row] {
        let asked = world.shadows.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        let background = world.shadows.enumerated().filter { $0.offset % 2 == 1 && !attackers.contains($0.element.owner) }.map(\.element)
        var own = world.rows.filter { attackers.contains($0.owner) }
        for _ in 0..<3 {
            var candidates: [InfluenceWorld.Row] = []
            for row in own { for _ in 0..<7 { candidates.append(world.bent(row, towards: asked, choices: &attackersChoices)) } }
            let lines = try await scores(background + own, by: .ekfac, queries: asked, others: candidates)
            func worth(_ place: Int) -> Double { lines.reduce(0) { $0 + $1[place] } }
            own = own.indices.map { number in
                var (best, most) = (own[number], worth(background.count + number))
                for candidate in number * 7..<number * 7 + 7 {
                    let worth = worth(background.count + own.count + candidate)
                    if worth > most { (best, most) = (candidates[candidate], worth) }
                }
                return best
            }
        }
        let bent = Dictionary(own.map { ($0.item, $0) }, uniquingKeysWith: { first, _ in first })
        return world.rows.map { bent[$0.item] ?? $0 }
    }

    /// What each owner earns on average for an answer, by the product's own payout rule.
    /// - Parameter scores: of the rows, and then of the canaries.
    private func earnings(
        _ scores: [[Double]], of rows: [InfluenceWorld.Row], _ payment: Payment = Payment()
    ) throws -> [String: Double] {
        var facts: [String: ItemFacts] = [:]
        var novelty = Novelty()
        for (position, row) in rows.enumerated() {
            let found = novelty.add(id: row.item, words: row.example.tokens.map { UInt64($0) })
            facts[row.item] = ItemFacts(
                owner: payment.owner(row.owner), position: position, head: payment.head[row.item], tokens: found.tokens,
                novelty: found.uniqueTokens * ItemFacts.wholeNovelty / max(1, found.tokens))
        }
        let items = SnapshotItems(facts, parties: payment.parties)
        var policy = AttributionPolicy()
        policy.weights = [.influence: Apportionment.whole]
        policy.rules = payment.rules
        policy.threshold = 0
        policy.fallback = .methods
        if let cap = payment.cap { policy.outlierCap = cap }
        let planted = canaries
        var names: [String: String] = [:]
        if payment.hasCanaries { for row in planted { names[row.item] = String(row.item.prefix { $0 != "-" }) } }
        let count = payment.hasCanaries ? rows.count + planted.count : rows.count
        let ids = (rows + planted).prefix(count).map(\.item)
        let answer = try WordSequence("an answer of some words")
        let prompt = payment.isEcho ? answer : try WordSequence("")
        var sums: [String: Double] = [:]
        for line in scores {
            // Whole numbers of 40 bits keep nine digits of the largest score.
            let top = line.prefix(count).map { abs($0) }.max() ?? 0
            let exponent = top > 0 ? Int(top.exponent) - 39 : 0
            let unit = Double(sign: .plus, exponent: exponent, significand: 1)
            let whole = InfluenceScores(
                rows: .zero, query: .zero, items: ids, scores: line.prefix(count).map { Int64(($0 / unit).rounded()) }, exponent: exponent)
            let result = try Attribution.compute(
                answer: answer, prompt: prompt, index: nil, influence: InfluenceInput(checkpoints: [whole], canaries: names),
                items: items, policy: policy)
            if result.isFallback { continue }
            for share in result.shares { sums[share.owner, default: 0] += Double(share.share) / 1e9 }
        }
        return sums.mapValues { $0 / Double(scores.count) }
    }
}
