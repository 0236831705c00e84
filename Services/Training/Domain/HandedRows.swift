internal import Events
public import JSON

/// What an artefact of attribution rows says of itself, held against what its job learned from: by whom its rows are said to be decides whom
/// a model's answers pay for as long as it is asked.
public enum HandedRows {
    /// How much a table may ask of its reader: some 450,000 rows.
    public static let limits = JSONLimits(bytes: 64 << 20, items: 3_000_000)
    /// What rows of garbage are called, by which is told what garbage would earn: `canary/<name>/<number>`.
    static let canaries = Set((0..<4).flatMap { name in (0..<8).map { "canary/\(name)/\($0)" } })

    /// Refuses a table with a row of an item that is not in the job's snapshots or not its owner's, with one that is nobody's and no canary,
    /// or without a canary.
    /// - Parameter table: `rows.json` of the artefact.
    public static func require(_ table: JSONFields, of snapshots: [SnapshotItems]) throws {
        var owners: [String: [String: String]] = [:]
        for snapshot in snapshots {
            owners[snapshot.reference.datanet] = Dictionary(snapshot.items.map { ($0.item, $0.owner) }) { first, _ in first }
        }
        func fail(_ what: String) -> TrainingError { .invalid(field: "/rows", reason: "names rows that \(what)") }
        guard (1...2).contains(try table.int("checkpoints")) else { throw fail("were not measured at one point or two") }
        var left = canaries
        for entry in try table.array("rows", count: 0...5_000_000) {
            let row = try entry.object()
            let item = try row.id("item")
            guard let owner = try row.optionalID("owner") else {
                guard left.remove(item) != nil else { throw fail("are nobody's, and \(item) is no canary that is missing") }
                continue
            }
            let datanet = try row.id("datanet")
            guard let whose = owners[datanet]?[item] else {
                throw fail("have an item \(item) of \(datanet), which the job did not learn from")
            }
            guard whose == owner else { throw fail("give \(item) to \(owner), whose it is not") }
        }
        guard left.isEmpty else { throw fail("lack \(left.count) of \(canaries.count) canaries") }
    }
}
