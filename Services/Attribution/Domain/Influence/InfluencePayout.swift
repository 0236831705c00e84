/// From signed sums to what influence pays.
struct InfluencePayout {
    /// What each owner earns, in the evidence's unit, by name; nobody with nothing.
    let credit: [String: UInt128]
    /// Parts of 10^9.
    let confidence: Int

    /// Sums over checkpoints, clips at zero, and takes off what the best canary of as many rows would earn.
    ///
    /// Confidence is how far the checkpoints agree on the payout (the overlap of their shares, averaged over pairs), times the part of the
    /// positive influence that stands above the canaries.
    init(_ evidence: InfluenceEvidence, policy: AttributionPolicy) throws(AttributionError) {
        let all = try Self.credit(evidence.checkpoints, policy.canaryScaling)
        credit = all.paid
        guard all.positive > 0, !all.paid.isEmpty else {
            confidence = 0
            return
        }
        var agreement = UInt128(policy.singleCheckpointConfidence)
        if evidence.checkpoints.count > 1 {
            var shares: [[String: Int]] = []
            for checkpoint in evidence.checkpoints { shares.append(try Self.shares([checkpoint], policy.canaryScaling)) }
            var (overlap, pairs): (UInt128, UInt128) = (0, 0)
            for first in shares.indices {
                for second in shares.indices where second > first {
                    pairs += 1
                    for (owner, share) in shares[first] { overlap += UInt128(min(share, shares[second][owner] ?? 0)) }
                }
            }
            agreement = overlap / pairs
        }
        let kept = all.paid.values.reduce(0, +)
        guard kept < 1 << 97 else { throw .overflow("influence") }
        confidence = Int(agreement * (kept * UInt128(Apportionment.whole) / all.positive) / UInt128(Apportionment.whole))
    }

    private static func shares(
        _ checkpoints: [InfluenceEvidence.Checkpoint], _ scaling: CanaryScaling
    ) throws(AttributionError) -> [String: Int] {
        let paid = try credit(checkpoints, scaling).paid.map { (name: $0.key, weight: $0.value) }
        guard let parts = try Apportionment.divide(paid) else { return [:] }
        return Dictionary(uniqueKeysWithValues: zip(paid.map(\.name), parts))
    }

    private static func credit(
        _ checkpoints: [InfluenceEvidence.Checkpoint], _ scaling: CanaryScaling
    ) throws(AttributionError) -> (paid: [String: UInt128], positive: UInt128) {
        let owners = try total(checkpoints.map(\.owners))
        let canaries = try total(checkpoints.map(\.canaries)).values.filter { $0.sum > 0 && $0.rows > 0 }
        var paid: [String: UInt128] = [:]
        var positive: UInt128 = 0
        for (owner, own) in owners where own.sum > 0 {
            guard own.sum < 1 << 90 else { throw .overflow("influence of \(owner)") }
            let sum = UInt128(own.sum)
            positive += sum
            var floor: UInt128 = 0
            for canary in canaries {
                guard canary.sum < 1 << 90 else { throw .overflow("influence of a canary") }
                floor = max(floor, scaled(UInt128(canary.sum), own.rows, canary.rows, scaling))
            }
            if sum > floor { paid[owner] = sum - floor }
        }
        return (paid, positive)
    }

    private static func total(
        _ lists: [[InfluenceEvidence.OwnerSum]]
    ) throws(AttributionError) -> [String: (sum: Int128, rows: Int)] {
        var total: [String: (sum: Int128, rows: Int)] = [:]
        for list in lists {
            for entry in list {
                let known = total[entry.owner] ?? (0, 0)
                let (sum, overflow) = known.sum.addingReportingOverflow(entry.sum)
                // The root of a quotient of rows takes 32 bits of each.
                guard !overflow, known.rows + entry.rows <= Int(Int32.max) else { throw .overflow("influence of \(entry.owner)") }
                total[entry.owner] = (sum, known.rows + entry.rows)
            }
        }
        return total
    }

    private static func scaled(_ sum: UInt128, _ rows: Int, _ canaryRows: Int, _ scaling: CanaryScaling) -> UInt128 {
        switch scaling {
        case .none: sum
        case .linear: sum * UInt128(rows) / UInt128(canaryRows)
        // 16 bits of fraction in the root.
        case .squareRoot: (sum * root((UInt64(rows) << 32) / UInt64(canaryRows))) >> 16
        }
    }

    /// The integer root, by Newton's method.
    private static func root(_ value: UInt64) -> UInt128 {
        guard value > 1 else { return UInt128(value) }
        var guess = UInt64(1) << UInt64((64 - value.leadingZeroBitCount + 1) / 2)
        while true {
            let next = (guess + value / guess) / 2
            if next >= guess { return UInt128(guess) }
            guess = next
        }
    }
}
