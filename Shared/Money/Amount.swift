/// So many minor units of one asset, as a signed 128-bit integer. Arithmetic is checked: it answers exactly or throws.
public struct Amount: Sendable, Hashable, CustomStringConvertible {
    /// Minor units; may be negative.
    public let units: Int128
    /// What is counted.
    public let asset: Asset

    /// So many minor units.
    public init(_ units: Int128, _ asset: Asset) {
        self.units = units
        self.asset = asset
    }

    /// None of an asset.
    public static func zero(_ asset: Asset) -> Amount { Amount(0, asset) }

    /// Whether it is nothing.
    public var isZero: Bool { units == 0 }
    /// Whether it is more than nothing.
    public var isPositive: Bool { units > 0 }
    /// Whether it is less than nothing.
    public var isNegative: Bool { units < 0 }

    /// The sum; throws for another asset and beyond 128 bits.
    public func adding(_ other: Amount) throws(MoneyError) -> Amount {
        try expect(other.asset)
        let (sum, overflow) = units.addingReportingOverflow(other.units)
        if overflow { throw MoneyError.overflow(asset) }
        return Amount(sum, asset)
    }

    /// The difference; throws for another asset and beyond 128 bits.
    public func subtracting(_ other: Amount) throws(MoneyError) -> Amount {
        try expect(other.asset)
        let (difference, overflow) = units.subtractingReportingOverflow(other.units)
        if overflow { throw MoneyError.overflow(asset) }
        return Amount(difference, asset)
    }

    /// The same with the other sign; throws for the least number, which has no opposite.
    public func negated() throws(MoneyError) -> Amount { try Amount.zero(asset).subtracting(self) }

    /// So many times as much; throws beyond 128 bits.
    public func multiplied(by count: Int64) throws(MoneyError) -> Amount {
        let (product, overflow) = units.multipliedReportingOverflow(by: Int128(count))
        if overflow { throw MoneyError.overflow(asset) }
        return Amount(product, asset)
    }

    /// Whether it is less; throws for another asset.
    public func isLess(than other: Amount) throws(MoneyError) -> Bool {
        try expect(other.asset)
        return units < other.units
    }

    /// The sum of amounts of one asset; zero of that asset for none.
    public static func sum(_ amounts: some Sequence<Amount>, of asset: Asset) throws(MoneyError) -> Amount {
        var total = Amount.zero(asset)
        for amount in amounts { total = try total.adding(amount) }
        return total
    }

    private func expect(_ other: Asset) throws(MoneyError) {
        if other != asset { throw MoneyError.wrongAsset(expected: asset, actual: other) }
    }
}
