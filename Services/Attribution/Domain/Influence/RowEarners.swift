/// Whose each of some rows is, and how much it counts: looked up once for all checkpoints that have them.
struct RowEarners {
    /// The names of owners, and after them those of canaries.
    private(set) var names: [String] = []
    /// Which of the names are owners'.
    private(set) var owners: Range<Int>
    /// The name of each row by its number; below 0 for rows of items that are no longer paid.
    private(set) var earners: [Int32]
    /// What each row's score is multiplied by: 1 up to the rules 3, later parts of 2^`weightBits`.
    private(set) var weights: [Int32]

    /// The bits of what a score counts in whole.
    static let weightBits = 8
    private static let whole = ItemFacts.wholeNovelty

    /// - Parameter canaries: the name of the canary for each of its rows.
    init(_ rows: [String], _ canaries: [String: String], _ items: SnapshotItems, rules: Int) {
        earners = [Int32](repeating: -1, count: rows.count)
        weights = [Int32](repeating: rules < 4 ? 1 : Int32(Self.whole), count: rows.count)
        var planted: [Int] = []
        var known: [String: Int32] = [:]
        // The first item of each cluster that has a row.
        var firsts: [String: String] = [:]
        for (row, item) in rows.enumerated() {
            let head = items.earner(for: item)
            if canaries[item] != nil {
                planted.append(row)
            } else if let owner = items[head]?.owner {
                earners[row] = Self.number(owner, &known, &names)
                guard rules >= 4 else { continue }
                let first = firsts[head, default: item]
                firsts[head] = first
                // A copy has nothing new, and earns for its head: by what is new in that.
                let novelty = items[head]?.novelty ?? Self.whole
                weights[row] = Int32(first == item ? novelty : novelty * 3 / 4)
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
