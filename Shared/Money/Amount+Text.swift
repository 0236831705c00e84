extension Amount {
    /// For people: the major unit with a point, at least two digits after it where the asset has them, and the code:
    /// `12.34 USDC`.
    public var description: String { decimal + " " + asset.code }

    /// The number alone, in major units: `12.34`, `-0.000001`.
    public var decimal: String {
        var figures = Array(String(units.magnitude).utf8)
        let missing = asset.digits + 1 - figures.count
        if missing > 0 { figures.insert(contentsOf: repeatElement(0x30, count: missing), at: 0) }
        let whole = figures.dropLast(asset.digits)
        var fraction = figures.suffix(asset.digits)
        while fraction.count > 2, fraction.last == 0x30 { fraction.removeLast() }
        let sign = units < 0 ? "-" : ""
        let head = sign + String(decoding: whole, as: UTF8.self)
        return fraction.isEmpty ? head : head + "." + String(decoding: fraction, as: UTF8.self)
    }

    /// Reads what people write, in major units: `12.34` of `USDC/6` is 12,340,000 minor units. Digits beyond the asset's are
    /// refused, never rounded; so are signs other than one minus, exponents, blanks and separators.
    public init(decimal text: String, _ asset: Asset) throws(MoneyError) {
        let bytes = Array(text.utf8.prefix(64))
        let negative = bytes.first == UInt8(ascii: "-")
        let number = bytes.dropFirst(negative ? 1 : 0)
        let parts = number.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard text.utf8.count == bytes.count, let whole = parts.first, !whole.isEmpty, parts.count == 1 || parts.last?.isEmpty == false,
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }), whole.count == 1 || whole.first != 0x30
        else { throw MoneyError.malformedAmount(text) }
        let fraction = parts.count == 2 ? parts[1] : []
        guard fraction.count <= asset.digits else { throw MoneyError.tooFine(text, asset: asset) }
        var units: Int128 = 0
        for digit in Array(whole) + Array(fraction) + Array(repeating: 0x30, count: asset.digits - fraction.count) {
            let (shifted, above) = units.multipliedReportingOverflow(by: 10)
            let (next, beyond) = shifted.addingReportingOverflow(Int128(digit - 0x30))
            if above || beyond { throw MoneyError.overflow(asset) }
            units = next
        }
        self.init(negative ? -units : units, asset)
    }

    /// The units as they stand in events: decimal, no leading zeros, a minus before what is below zero.
    public var unitsText: String { String(units) }

    /// Reads ``unitsText``: the one text of each number, so `+1`, `01` and `-0` are refused.
    public init(unitsText text: String, _ asset: Asset) throws(MoneyError) {
        guard text.utf8.count <= 40, let units = Int128(text), String(units) == text else {
            throw MoneyError.malformedAmount(text)
        }
        self.init(units, asset)
    }
}
