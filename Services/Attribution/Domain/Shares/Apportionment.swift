/// Divides a whole among weights: by the largest remainder, so that the parts always add up to the whole.
public enum Apportionment {
    /// The whole: 10^9.
    public static let whole = 1_000_000_000

    /// Parts of `whole` in proportion to the weights, in the order given. Where remainders are equal, the name that comes first in the
    /// order of its UTF-8 bytes gets the unit. Names whose part is 0 stay in the list.
    ///
    /// - Returns: nil when no weight is above 0.
    /// - Throws: `AttributionError.overflow` for weights that add up to 2^97 or more.
    public static func divide(_ weights: [(name: String, weight: UInt128)], whole: Int = whole) throws(AttributionError) -> [Int]? {
        var total: UInt128 = 0
        for (_, weight) in weights {
            guard weight < 1 << 97, total < 1 << 97 else { throw .overflow("a sum of weights") }
            total += weight
        }
        guard total > 0 else { return nil }
        guard total < 1 << 97 else { throw .overflow("a sum of weights") }
        var parts = [Int](repeating: 0, count: weights.count)
        var remainders = [UInt128](repeating: 0, count: weights.count)
        var left = whole
        for (index, entry) in weights.enumerated() {
            let (quotient, remainder) = (entry.weight * UInt128(whole)).quotientAndRemainder(dividingBy: total)
            parts[index] = Int(quotient)
            remainders[index] = remainder
            left -= parts[index]
        }
        guard left > 0 else { return parts }
        let order = weights.indices.sorted { a, b in
            remainders[a] != remainders[b]
                ? remainders[a] > remainders[b] : weights[a].name.utf8.lexicographicallyPrecedes(weights[b].name.utf8)
        }
        for index in order.prefix(left) { parts[index] += 1 }
        return parts
    }
}

/// What one owner gets of a whole of 10^9.
public struct OwnerShare: Sendable, Hashable {
    /// The verified owner.
    public let owner: String
    /// Parts of 10^9.
    public let share: Int

    /// Takes both.
    public init(owner: String, share: Int) {
        self.owner = owner
        self.share = share
    }
}
