public import Events
public import Money

/// What usage costs: graduated tiers over what the payer has used in the month so far.
public enum Rating {
    /// The price of quantities on top of earlier ones.
    /// - Parameter used: how much of a meter was used in the period before.
    /// - Returns: minor units; each meter's price is rounded up to whole ones, so what is free costs nothing and what is not is
    ///   never given away in small pieces.
    public static func fee(
        _ quantities: [MeterQuantity], price: PricePublished, used: (String) -> Int
    ) throws(BillingError) -> Amount {
        var fee = Amount.zero(price.asset)
        var seen: Set<String> = []
        for quantity in quantities {
            guard seen.insert(quantity.meter).inserted else { throw .exists("the quantity of \(quantity.meter)") }
            guard let meter = price.meters.first(where: { $0.meter == quantity.meter }) else {
                throw .notFound("price of \(quantity.meter) for model \(price.model), version \(price.version)")
            }
            let cost = try Self.cost(from: used(quantity.meter), quantity.quantity, meter)
            fee = try exactly { () throws(MoneyError) in try fee.adding(Amount(cost, price.asset)) }
        }
        return fee
    }

    /// Throws unless a price is one: known order of tiers, one open end each, no meter twice.
    static func check(_ price: PricePublished) throws(BillingError) {
        guard !price.meters.isEmpty else { throw .invalid(field: "meters", reason: "must name at least one meter") }
        var seen: Set<String> = []
        for meter in price.meters {
            guard seen.insert(meter.meter).inserted else { throw .invalid(field: "meters", reason: "has \(meter.meter) twice") }
            guard meter.per > 0 else { throw .notPositive("per of \(meter.meter)") }
            guard let last = meter.tiers.last, last.upTo == nil else {
                throw .invalid(field: "meters", reason: "of \(meter.meter): the last tier must have no bound")
            }
            var bound = 0
            for tier in meter.tiers.dropLast() {
                guard let upTo = tier.upTo, upTo > bound else {
                    throw .invalid(field: "meters", reason: "of \(meter.meter): the bounds of the tiers must rise from above zero")
                }
                bound = upTo
            }
        }
    }

    private static func cost(from used: Int, _ quantity: Int, _ meter: MeterPrice) throws(BillingError) -> Int128 {
        let (end, overflow) = used.addingReportingOverflow(quantity)
        guard quantity >= 0, !overflow else { throw .invalid(field: "quantities", reason: "of \(meter.meter) are out of range") }
        var total: Int128 = 0
        var from = used
        for tier in meter.tiers where from < end {
            let upTo = min(tier.upTo ?? end, end)
            guard upTo > from else { continue }
            total += Int128(upTo - from) * Int128(tier.units)
            from = upTo
        }
        let per = Int128(meter.per)
        return (total + per - 1) / per
    }

    /// The month of a moment, `2026-11`.
    public static func period(of time: Timestamp) -> String { String(time.description.prefix(7)) }
}
