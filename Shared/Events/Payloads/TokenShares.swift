internal import Money

/// Whose data something is made of: what the fee of a training, and the price of a snapshot, are shared by.
public enum TokenShares {
    /// Shares by tokens, which is what a reading of the snapshots sees of each owner, in order of owner and Datanet.
    /// - Parameter items: by Datanet.
    /// - Returns: shares that add up to 10^9; none when there are no tokens.
    public static func of(_ items: [(datanet: String, items: [AdmittedItem])]) throws -> [AttributionShare] {
        var tokens: [Key: UInt64] = [:]
        for (datanet, items) in items {
            for item in items { tokens[Key(owner: item.owner, datanet: datanet), default: 0] += UInt64(item.tokens) }
        }
        let keys = tokens.filter { $0.value > 0 }.keys.sorted()
        guard !keys.isEmpty else { return [] }
        let whole = Amount(Int128(Share.whole), try Asset("SHARE/9"))
        let parts = try whole.split(by: keys.map { tokens[$0] ?? 0 })
        return zip(keys, parts).compactMap { key, part in
            part.isZero ? nil : AttributionShare(owner: key.owner, datanet: key.datanet, share: Int(part.units))
        }
    }

    private struct Key: Hashable, Comparable {
        let owner: String
        let datanet: String

        static func < (left: Key, right: Key) -> Bool {
            let order = (Array(left.owner.utf8), Array(right.owner.utf8))
            if order.0 != order.1 { return order.0.lexicographicallyPrecedes(order.1) }
            return Array(left.datanet.utf8).lexicographicallyPrecedes(Array(right.datanet.utf8))
        }
    }
}
