/// Positions on the log, ascending, from each of which on something is otherwise.
struct Milestones: Sendable, Hashable {
    private var positions: [UInt64] = []

    var last: UInt64? { positions.last }

    mutating func add(_ position: UInt64) {
        if positions.last != position { positions.append(position) }
    }

    /// The last one before a position.
    func last(before position: UInt64) -> UInt64? {
        var (low, high) = (0, positions.count)
        while low < high {
            let middle = (low + high) / 2
            if positions[middle] < position { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : positions[low - 1]
    }
}
