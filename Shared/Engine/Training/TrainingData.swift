internal import Crypto

/// Rows that have been checked against a model, and their digest.
struct TrainingData: Sendable {
    let rows: [TrainingExample]
    let holdOut: [TrainingExample]
    let longest: Int
    let digest: String

    init(_ rows: [TrainingExample], holdOut: [TrainingExample], vocabulary: Int, context: Int) throws(EngineError) {
        guard !rows.isEmpty else { throw .noData("there is no row to train on") }
        self.rows = rows
        self.holdOut = holdOut
        var longest = 0
        for (name, part) in [("", rows), ("hold-out ", holdOut)] {
            for (index, row) in part.enumerated() {
                guard row.tokens.count <= context else { throw .rowTooLong(row: index, tokens: row.tokens.count, limit: context) }
                guard !row.targets.isEmpty else {
                    throw .noData("\(name)row \(index) has no token to predict: it needs two tokens, one of which counts in the loss")
                }
                if let bad = row.tokens.first(where: { $0 < 0 || $0 >= vocabulary }) {
                    throw .badToken(row: index, token: bad, vocabulary: vocabulary)
                }
                longest = max(longest, row.tokens.count)
            }
        }
        self.longest = longest
        // Two levels, so that the copy to be hashed stays the size of a row.
        var digests: [UInt8] = []
        for part in [rows, holdOut] {
            for row in part {
                let numbers = [Int32(row.tokens.count)] + row.tokens + row.targets.map { Int32($0) }
                Fingerprint.of(numbers).append(to: &digests)
            }
            SHA256.hash(digests).append(to: &digests)
        }
        digest = SHA256.hash(digests).hex
    }
}

/// Which rows a step reads: passes over the data, each in its own seeded order, cut into steps.
struct RowOrder: Sendable {
    let rows: Int
    let perStep: Int
    let seed: UInt64
    let steps: Int
    /// Rows in all passes; nil when the number of steps was given.
    private let limit: Int?

    init(rows: Int, options: TrainingOptions) {
        self.rows = rows
        perStep = options.rowsPerStep
        seed = options.seed
        if let steps = options.steps {
            self.steps = steps
            limit = nil
        } else {
            let all = rows * options.epochs
            limit = all
            steps = (all + options.rowsPerStep - 1) / options.rowsPerStep
        }
    }

    /// The rows of a step (from 0), in the order of summation.
    func rows(step: Int, cache: inout (epoch: Int, order: [Int])) -> [Int] {
        let start = step * perStep
        let end = min(start + perStep, limit ?? .max)
        return (start..<end).map { number in
            let epoch = number / rows
            if cache.epoch != epoch || cache.order.isEmpty {
                var random = SeededRandom(seed &+ UInt64(epoch) &* 0xD1B5_4A32_D192_ED03)
                cache = (epoch, random.permutation(rows))
            }
            return cache.order[number % rows]
        }
    }
}
