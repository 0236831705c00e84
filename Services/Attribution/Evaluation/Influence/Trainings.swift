import Engine

/// The trainings of an evaluation: what was computed is kept, and several are done side by side, each by one thread.
struct Trainings: Sendable {
    let recipe: Learned.Recipe
    let kept: KeptResults
    /// What is measured: the losses of these are what a training gives.
    let queries: [InfluenceWorld.Row]
    let note: @Sendable (String) -> Void

    /// Rows to learn, by which seed, under what name.
    private struct Training: Sendable {
        let rows: [InfluenceWorld.Row]
        let seed: UInt64
        let name: String
    }

    /// What came of one piece of work, by its place.
    private struct Outcome: Sendable {
        let place: Int
        let lists: [[Double]]
    }

    /// For each list of rows the loss of each query after learning it, averaged over as many seeds.
    /// - Parameter what: says of each list what it is.
    func losses(of lists: [[InfluenceWorld.Row]], seeds: Int, _ what: (Int) -> String) async throws -> [[Double]] {
        var all: [Training] = []
        for (number, rows) in lists.enumerated() {
            for seed in 0..<seeds {
                let name = "training \(all.count + 1) of \(lists.count * seeds), \(what(number))"
                all.append(Training(rows: rows, seed: recipe.options.seed + UInt64(seed), name: name))
            }
        }
        let trainings = all
        let found = try await each(trainings.count) { place, pool in
            let training = trainings[place]
            let own = recipe.with(seed: training.seed, pool: pool)
            return try await kept.lists(own.digest("losses", training.rows, queries)) {
                note(training.name)
                return [try await Learned(training.rows, own).losses(queries, own)]
            }
        }
        return lists.indices.map { list in
            var mean = [Double](repeating: 0, count: queries.count)
            for seed in 0..<seeds {
                for (query, loss) in found[list * seeds + seed][0].enumerated() { mean[query] += loss / Double(seeds) }
            }
            return mean
        }
    }

    /// As many pieces of work at a time as the recipe's pool has threads, each with a thread of its own; results in order.
    func each(
        _ count: Int, _ work: @escaping @Sendable (_ place: Int, _ pool: ComputePool) async throws -> [[Double]]
    ) async throws -> [[[Double]]] {
        let width = max(1, min(recipe.pool.threads, count))
        return try await withThrowingTaskGroup(of: [Outcome].self) { group in
            for worker in 0..<width {
                let pool = try ComputePool(threads: 1)
                group.addTask {
                    var outcomes: [Outcome] = []
                    for place in stride(from: worker, to: count, by: width) {
                        outcomes.append(Outcome(place: place, lists: try await work(place, pool)))
                    }
                    return outcomes
                }
            }
            var found = [[[Double]]](repeating: [], count: count)
            for try await outcomes in group { for outcome in outcomes { found[outcome.place] = outcome.lists } }
            return found
        }
    }
}
