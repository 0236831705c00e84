/// Whose each of some rows is: looked up once for all checkpoints that have them.
struct RowEarners {
    /// The names of owners, and after them those of canaries.
    private(set) var names: [String] = []
    /// Which of the names are owners'.
    private(set) var owners: Range<Int>
    /// The name of each row by its number; below 0 for rows of items that are no longer paid.
    private(set) var earners: [Int32]

    /// - Parameter canaries: the name of the canary for each of its rows.
    init(_ rows: [String], _ canaries: [String: String], _ items: SnapshotItems) {
        earners = [Int32](repeating: -1, count: rows.count)
        var planted: [Int] = []
        var known: [String: Int32] = [:]
        for (row, item) in rows.enumerated() {
            if canaries[item] != nil {
                planted.append(row)
            } else if let owner = items[items.earner(for: item)]?.owner {
                earners[row] = Self.number(owner, &known, &names)
            }
        }
        owners = names.indices
        known = [:]
        for row in planted { if let name = canaries[rows[row]] { earners[row] = Self.number(name, &known, &names) } }
    }

    private static func number(_ name: String, _ known: inout [String: Int32], _ names: inout [String]) -> Int32 {
        if let number = known[name] { return number }
        let number = Int32(names.count)
        known[name] = number
        names.append(name)
        return number
    }
}
