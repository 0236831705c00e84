public import Crypto

/// What influence was found: sums by owner at each checkpoint, from which the payout follows.
public struct InfluenceEvidence: Sendable, Hashable {
    /// One owner's rows at one checkpoint.
    public struct OwnerSum: Sendable, Hashable {
        /// The verified owner, or the canary's name.
        public let owner: String
        /// The signed sum of its rows' scores, after the outlier cap.
        public let sum: Int128
        /// How many rows that is.
        public let rows: Int
    }

    /// One checkpoint.
    public struct Checkpoint: Sendable, Hashable {
        /// The hash of the file of training rows.
        public let rows: Digest
        /// The hash of the file with the answer's row.
        public let query: Digest
        /// The sums by owner's name.
        public let owners: [OwnerSum]
        /// The sums by canary's name.
        public let canaries: [OwnerSum]
        /// How many rows the outlier cap cut.
        public let cappedRows: Int
        /// How many rows belong to items that are no longer paid.
        public let skippedRows: Int
    }

    /// All checkpoints, in units of 2^`exponent`.
    public let checkpoints: [Checkpoint]
    /// The binary exponent of the sums' unit.
    public let exponent: Int

    /// Adds the scores up by verified owner.
    ///
    /// Rows of a near-duplicate earn for the cluster's head. Scores above the outlier cap count as the cap. Sums keep their sign: clipping
    /// comes after, and once per owner, so that data split among an owner's names earns no more.
    static func gather(
        _ input: InfluenceInput, items: SnapshotItems, policy: AttributionPolicy
    ) throws(AttributionError) -> InfluenceEvidence {
        guard input.checkpoints.count <= 64 else { throw .tooMany(what: "checkpoints", count: input.checkpoints.count, limit: 64) }
        let exponent = input.checkpoints.map(\.exponent).max() ?? 0
        let canaries = policy.rules < 2 ? [:] : input.canaries
        var checkpoints: [Checkpoint] = []
        for scores in input.checkpoints {
            guard scores.items.count == scores.scores.count else {
                throw .badEvidence(pointer: "/influence", reason: "has \(scores.scores.count) scores for \(scores.items.count) rows")
            }
            checkpoints.append(checkpoint(scores, shift: exponent - scores.exponent, canaries, items, policy))
        }
        return InfluenceEvidence(checkpoints: checkpoints, exponent: exponent)
    }

    private static func checkpoint(
        _ scores: InfluenceScores, shift: Int, _ canaries: [String: String], _ items: SnapshotItems, _ policy: AttributionPolicy
    ) -> Checkpoint {
        let cap = outlierCap(scores.scores, times: policy.outlierCap)
        var owners: [String: (sum: Int128, rows: Int)] = [:]
        var planted: [String: (sum: Int128, rows: Int)] = [:]
        var (capped, skipped) = (0, 0)
        for (item, raw) in zip(scores.items, scores.scores) {
            let score = raw > cap ? cap : raw < -cap ? -cap : raw
            if score != raw { capped += 1 }
            let value = rounded(Int128(score), shift)
            if let canary = canaries[item] {
                planted[canary, default: (0, 0)].sum += value
                planted[canary, default: (0, 0)].rows += 1
            } else if let owner = items[items.earner(for: item)]?.owner {
                owners[owner, default: (0, 0)].sum += value
                owners[owner, default: (0, 0)].rows += 1
            } else {
                skipped += 1
            }
        }
        return Checkpoint(
            rows: scores.rows, query: scores.query, owners: sorted(owners), canaries: sorted(planted), cappedRows: capped,
            skippedRows: skipped)
    }

    /// A multiple of the median magnitude; the largest number where there is no cap.
    private static func outlierCap(_ scores: [Int64], times: Int) -> Int64 {
        guard times > 0, !scores.isEmpty else { return .max }
        let magnitudes = scores.map(\.magnitude).sorted()
        let (product, overflow) = magnitudes[magnitudes.count / 2].multipliedReportingOverflow(by: UInt64(times))
        return overflow || product == 0 || product > UInt64(Int64.max) ? .max : Int64(product)
    }

    /// Divides by 2^shift, to the nearest, halves away from zero: the same for a score and its negative.
    private static func rounded(_ value: Int128, _ shift: Int) -> Int128 {
        guard shift > 0 else { return value }
        guard shift < 126 else { return 0 }
        let magnitude = Int128((value.magnitude + (1 << UInt128(shift - 1))) >> UInt128(shift))
        return value < 0 ? -magnitude : magnitude
    }

    private static func sorted(_ sums: [String: (sum: Int128, rows: Int)]) -> [OwnerSum] {
        sums.map { OwnerSum(owner: $0.key, sum: $0.value.sum, rows: $0.value.rows) }
            .sorted { $0.owner.utf8.lexicographicallyPrecedes($1.owner.utf8) }
    }
}
