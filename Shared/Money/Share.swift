/// A part of one whole, in billionths: 10^9 is all of it. Attribution speaks in shares.
public struct Share: Sendable, Hashable, Comparable {
    /// Billionths, 0 to 10^9.
    public let billionths: Int64
    /// The whole in billionths.
    public static let whole: Int64 = 1_000_000_000

    /// So many billionths.
    public init(billionths: Int64) throws(MoneyError) {
        guard (0...Self.whole).contains(billionths) else {
            throw MoneyError.outOfRange(what: "a share", value: billionths, least: 0, most: Self.whole)
        }
        self.billionths = billionths
    }

    /// The smaller part first.
    public static func < (left: Share, right: Share) -> Bool { left.billionths < right.billionths }

    /// Throws unless the shares add up to the whole.
    public static func checkWhole(_ shares: some Sequence<Share>) throws(MoneyError) {
        var total: Int64 = 0
        for share in shares {
            let (sum, overflow) = total.addingReportingOverflow(share.billionths)
            total = overflow ? Int64.max : sum
        }
        if total != whole { throw MoneyError.wrongTotal(what: "shares", expected: whole, actual: total) }
    }
}

/// A part of one whole, in hundredths of a percent: 10,000 is all of it. Policies and fees speak in basis points.
public struct BasisPoints: Sendable, Hashable, Comparable {
    /// Basis points, 0 to 10,000.
    public let points: Int64
    /// The whole in basis points.
    public static let whole: Int64 = 10_000

    /// So many basis points.
    public init(_ points: Int64) throws(MoneyError) {
        guard (0...Self.whole).contains(points) else {
            throw MoneyError.outOfRange(what: "a part in basis points", value: points, least: 0, most: Self.whole)
        }
        self.points = points
    }

    /// The smaller part first.
    public static func < (left: BasisPoints, right: BasisPoints) -> Bool { left.points < right.points }

    /// Throws unless the parts add up to the whole.
    public static func checkWhole(_ parts: some Sequence<BasisPoints>) throws(MoneyError) {
        var total: Int64 = 0
        for part in parts { total += part.points }
        if total != whole { throw MoneyError.wrongTotal(what: "basis points", expected: whole, actual: total) }
    }
}
