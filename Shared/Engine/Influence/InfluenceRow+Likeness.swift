extension InfluenceRow {
    /// How far this row is from another of its form: the length of the difference over the other's own; 0 for equal rows, infinite for rows
    /// of different forms.
    public func distance(from other: InfluenceRow) -> Double {
        guard lengths == other.lengths, role == other.role else { return .infinity }
        var (apart, whole) = (0.0, 0.0), at = 0
        for (index, length) in lengths.enumerated() {
            let (left, right) = (Double(scales[index]), Double(other.scales[index]))
            for place in at..<at + length {
                let (a, b) = (Double(values[place]) * left, Double(other.values[place]) * right)
                apart += (a - b) * (a - b)
                whole += b * b
            }
            at += length
        }
        return apart == 0 ? 0 : (apart / whole).squareRoot()
    }

    /// How many times as long this row is as another in that other's direction: 1 for equal rows. Nil for rows of different forms, and where
    /// the other is nothing.
    public func scale(along other: InfluenceRow) -> Double? {
        guard lengths == other.lengths, role == other.role else { return nil }
        var (product, whole) = (0.0, 0.0), at = 0
        for (index, length) in lengths.enumerated() {
            let (left, right) = (Double(scales[index]), Double(other.scales[index]))
            for place in at..<at + length {
                product += Double(values[place]) * left * Double(other.values[place]) * right
                whole += Double(other.values[place]) * right * Double(other.values[place]) * right
            }
            at += length
        }
        return whole == 0 ? nil : product / whole
    }
}

extension Adapter {
    /// Whether another has the same form and the same numbers.
    public func hasSameNumbers(as other: Adapter) -> Bool {
        layout == other.layout && scale == other.scale && parameters.values == other.parameters.values
    }
}

extension InfluenceFactors {
    /// Whether the last point at which they were measured is this adapter, number by number.
    public func end(at adapter: Adapter) -> Bool {
        guard let last = checkpoints.last?.adapter, last.layout == adapter.layout, last.scale == adapter.scale else { return false }
        return zip(last.parameters.values, adapter.parameters.values).allSatisfy { abs($0 - $1) <= 1e-6 + 1e-5 * abs($1) }
    }
}
