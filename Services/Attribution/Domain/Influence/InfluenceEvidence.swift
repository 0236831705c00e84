public import Crypto

/// What influence was found: sums by owner at each checkpoint, from which the payout follows.
public struct InfluenceEvidence: Sendable, Hashable {
    /// One owner's rows at one checkpoint.
    public struct OwnerSum: Sendable, Hashable {
        /// The verified owner, or the canary's name.
        public let owner: String
        /// The signed sum of its rows' scores, after the outlier cap; from the rules 4 on of a copy's in part.
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
    /// comes after, and once per party, so that data split among a party's names earns no more. From the rules 4 on of an item that repeats
    /// earlier ones what is new counts, and of a cluster one item whole and the others by three quarters each: what is learned again and
    /// again is learned better, and that is not its owner's merit.
    static func gather(
        _ input: InfluenceInput, items: SnapshotItems, policy: AttributionPolicy
    ) throws(AttributionError) -> InfluenceEvidence {
        guard input.checkpoints.count <= 64 else { throw .tooMany(what: "checkpoints", count: input.checkpoints.count, limit: 64) }
        let exponent = input.checkpoints.map(\.exponent).max() ?? 0
        let canaries = policy.rules < 2 ? [:] : input.canaries
        var checkpoints: [Checkpoint] = []
        var known: (items: [String], rows: RowEarners)?
        for scores in input.checkpoints {
            guard scores.items.count == scores.scores.count else {
                throw .badEvidence(pointer: "/influence", reason: "has \(scores.scores.count) scores for \(scores.items.count) rows")
            }
            // Checkpoints have the same rows, as a rule.
            if known?.items != scores.items { known = (scores.items, RowEarners(scores.items, canaries, items, rules: policy.rules)) }
            guard let rows = known?.rows else { continue }
            checkpoints.append(checkpoint(scores, shift: exponent - scores.exponent, rows, policy))
        }
        return InfluenceEvidence(checkpoints: checkpoints, exponent: exponent - (policy.rules < 4 ? 0 : RowEarners.weightBits))
    }

    private static func checkpoint(
        _ scores: InfluenceScores, shift: Int, _ rows: RowEarners, _ policy: AttributionPolicy
    ) -> Checkpoint {
        let cap = outlierCap(scores.scores, times: policy.outlierCap)
        var sums = [Int128](repeating: 0, count: rows.names.count)
        var counts = [Int](repeating: 0, count: rows.names.count)
        var (capped, skipped) = (0, 0)
        for (row, raw) in scores.scores.enumerated() {
            let earner = rows.earners[row]
            let score = raw > cap ? cap : raw < -cap ? -cap : raw
            if score != raw { capped += 1 }
            guard earner >= 0 else {
                skipped += 1
                continue
            }
            sums[Int(earner)] += rounded(Int128(score), shift) * Int128(rows.weights[row])
            counts[Int(earner)] += 1
        }
        func sorted(_ names: Range<Int>) -> [OwnerSum] {
            names.map { OwnerSum(owner: rows.names[$0], sum: sums[$0], rows: counts[$0]) }
                .sorted { $0.owner.utf8.lexicographicallyPrecedes($1.owner.utf8) }
        }
        return Checkpoint(
            rows: scores.rows, query: scores.query, owners: sorted(rows.owners),
            canaries: sorted(rows.owners.upperBound..<rows.names.count),
            cappedRows: capped, skippedRows: skipped)
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
}
