extension Amount {
    /// Splits the amount in proportion to weights so that the parts add up to it exactly: the largest remainder method
    /// (Hamilton's). Each part is first rounded towards zero; the units left over go one each to the parts with the largest
    /// remainders, of equal remainders to the one that stands first. So the order of the weights is part of the rule: callers
    /// give them in an order fixed by the recipients' ids.
    /// - Returns: one part per weight, in their order; a weight of zero gets zero.
    public func split(by weights: [UInt64]) throws(MoneyError) -> [Amount] {
        try split(by: weights.map { UInt128($0) })
    }

    /// The same for weights that are amounts themselves: parts of what is left to be paid back.
    public func split(by weights: [UInt128]) throws(MoneyError) -> [Amount] {
        var total: UInt128 = 0
        for weight in weights {
            let (sum, overflow) = total.addingReportingOverflow(weight)
            if overflow { throw MoneyError.overflow(asset) }
            total = sum
        }
        if total == 0 { throw MoneyError.nothingToSplitBy }

        let whole = units.magnitude
        var parts: [UInt128] = []
        var remainders: [(remainder: UInt128, index: Int)] = []
        parts.reserveCapacity(weights.count)
        remainders.reserveCapacity(weights.count)
        var given: UInt128 = 0
        for (index, weight) in weights.enumerated() {
            let (part, remainder) = Self.portion(whole, weight, total)
            parts.append(part)
            given += part
            if remainder > 0 { remainders.append((remainder, index)) }
        }
        remainders.sort { $0.remainder != $1.remainder ? $0.remainder > $1.remainder : $0.index < $1.index }
        // What is left is the sum of the remainders over the total, so fewer units than there are remainders.
        for (_, index) in remainders.prefix(Int(whole - given)) { parts[index] += 1 }
        return parts.map { Amount(units < 0 ? Self.opposite($0) : Int128($0), asset) }
    }

    /// Splits among shares of one whole, which must add up to it.
    public func split(by shares: [Share]) throws(MoneyError) -> [Amount] {
        try Share.checkWhole(shares)
        return try split(by: shares.map { UInt64($0.billionths) })
    }

    /// Splits by basis points, which must add up to 10,000.
    public func split(by parts: [BasisPoints]) throws(MoneyError) -> [Amount] {
        try BasisPoints.checkWhole(parts)
        return try split(by: parts.map { UInt64($0.points) })
    }

    /// whole × weight ÷ total with a product of up to 256 bits; weight ≤ total, so the quotient fits.
    private static func portion(_ whole: UInt128, _ weight: UInt128, _ total: UInt128) -> (part: UInt128, remainder: UInt128) {
        let (product, overflow) = whole.multipliedReportingOverflow(by: weight)
        let (quotient, remainder) =
            overflow
            ? total.dividingFullWidth(whole.multipliedFullWidth(by: weight)) : product.quotientAndRemainder(dividingBy: total)
        return (part: quotient, remainder: remainder)
    }

    /// The negative of a magnitude of at most 2^127.
    private static func opposite(_ magnitude: UInt128) -> Int128 {
        magnitude == Int128.min.magnitude ? Int128.min : -Int128(magnitude)
    }
}
