/// From signed sums to what influence pays.
struct InfluencePayout {
    /// What each owner earns, in the evidence's unit, by name; nobody with nothing.
    let credit: [String: UInt128]
    /// Parts of 10^9.
    let confidence: Int

    /// Sums over checkpoints and parties, clips at zero, and takes off what the best canary of as many rows would earn; from the rules 4 on
    /// the one that is farthest from zero, since what garbage loses at one answer it earns at another. What a party earns goes to those
    /// within it by what each has above the canaries.
    ///
    /// Confidence is how far the checkpoints agree on the payout (the overlap of their shares, averaged over pairs), times the part of the
    /// positive influence that stands above the canaries.
    init(_ evidence: InfluenceEvidence, parties: Parties, policy: AttributionPolicy) throws(AttributionError) {
        let rule = Rule(parties: parties, policy: policy)
        let all = try Self.credit(evidence.checkpoints, rule)
        credit = all.paid
        guard all.positive > 0, !all.paid.isEmpty else {
            confidence = 0
            return
        }
        var agreement = UInt128(policy.singleCheckpointConfidence)
        if evidence.checkpoints.count > 1 {
            var shares: [[String: Int]] = []
            for checkpoint in evidence.checkpoints { shares.append(try Self.shares([checkpoint], rule)) }
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
        _ checkpoints: [InfluenceEvidence.Checkpoint], _ rule: Rule
    ) throws(AttributionError) -> [String: Int] {
        let paid = try credit(checkpoints, rule).paid.map { (name: $0.key, weight: $0.value) }
        guard let parts = try Apportionment.divide(paid) else { return [:] }
        return Dictionary(uniqueKeysWithValues: zip(paid.map(\.name), parts))
    }

    /// What a payout follows from beside the sums.
    private struct Rule {
        let parties: Parties
        let policy: AttributionPolicy
    }

    private typealias Sum = (sum: Int128, rows: Int)

    private static func credit(
        _ checkpoints: [InfluenceEvidence.Checkpoint], _ rule: Rule
    ) throws(AttributionError) -> (paid: [String: UInt128], positive: UInt128) {
        let owners = try total(checkpoints.map(\.owners))
        let canaries = try total(checkpoints.map(\.canaries)).values.filter { (rule.policy.rules >= 4 || $0.sum > 0) && $0.rows > 0 }
        let tree = PartyTree(owners.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, rule.parties)
        var division = Division(tree: tree, owners: owners, canaries: canaries, scaling: rule.policy.canaryScaling)
        var positive: UInt128 = 0
        for party in tree.roots {
            let own = try division.gather(party)
            if own.sum > 0 { positive += own.sum.magnitude }
            try division.divide(try division.above(own, party), of: party)
        }
        return (division.paid, positive)
    }

    /// From sums of parties to what each within them earns.
    private struct Division {
        let tree: PartyTree
        /// What each has in its own name.
        let owners: [String: Sum]
        let canaries: [Sum]
        let scaling: CanaryScaling
        /// What each name has, with all behind whom it stands.
        private var sums: [String: Sum] = [:]
        private(set) var paid: [String: UInt128] = [:]

        init(tree: PartyTree, owners: [String: Sum], canaries: [Sum], scaling: CanaryScaling) {
            self.tree = tree
            self.owners = owners
            self.canaries = canaries
            self.scaling = scaling
        }

        /// Adds up what a name has, with all behind whom it stands.
        mutating func gather(_ name: String) throws(AttributionError) -> Sum {
            var all = owners[name] ?? (0, 0)
            for next in tree.below[name] ?? [] {
                let own = try gather(next)
                let (sum, overflow) = all.sum.addingReportingOverflow(own.sum)
                guard !overflow, all.rows + own.rows <= Int(Int32.max) else { throw .overflow("influence of \(name)") }
                all = (sum, all.rows + own.rows)
            }
            sums[name] = all
            return all
        }

        /// What of a sum is above the canaries, were they of as many rows.
        func above(_ own: Sum, _ name: String) throws(AttributionError) -> UInt128 {
            guard own.sum > 0 else { return 0 }
            guard own.sum < 1 << 90 else { throw .overflow("influence of \(name)") }
            var floor: UInt128 = 0
            for canary in canaries {
                guard canary.sum.magnitude < 1 << 90 else { throw .overflow("influence of a canary") }
                floor = max(floor, InfluencePayout.scaled(canary.sum.magnitude, own.rows, canary.rows, scaling))
            }
            return own.sum.magnitude > floor ? own.sum.magnitude - floor : 0
        }

        /// Divides what a name earns among itself and those behind whom it stands, by what each has above the canaries.
        mutating func divide(_ amount: UInt128, of name: String) throws(AttributionError) {
            guard amount > 0 else { return }
            guard let below = tree.below[name] else {
                paid[name] = amount
                return
            }
            var takers: [(name: String, weight: UInt128)] = []
            if let own = owners[name] { takers.append((name, try above(own, name))) }
            for next in below { takers.append((next, try above(sums[next] ?? (0, 0), next))) }
            guard let parts = try Apportionment.divide(takers) else { return }
            for (taker, part) in zip(takers, parts) {
                let share = amount * UInt128(part) / UInt128(Apportionment.whole)
                if taker.name != name {
                    try divide(share, of: taker.name)
                } else if share > 0 {
                    paid[name] = share
                }
            }
        }
    }

    private static func total(
        _ lists: [[InfluenceEvidence.OwnerSum]]
    ) throws(AttributionError) -> [String: Sum] {
        var total: [String: Sum] = [:]
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

    fileprivate static func scaled(_ sum: UInt128, _ rows: Int, _ canaryRows: Int, _ scaling: CanaryScaling) -> UInt128 {
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
