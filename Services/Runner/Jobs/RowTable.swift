internal import Crypto
internal import Engine
internal import Events
internal import JSON

/// What an artefact of attribution rows says of itself in `rows.json`: what the rows were made with, and whose each is.
struct RowTable: Sendable {
    /// One row.
    struct Entry: Sendable {
        let item: String
        /// Nil for canaries.
        let owner: String?
        let datanet: String?
        /// Its bytes, counted over all files of rows.
        let place: Range<Int>
    }

    let factors: Digest
    /// At how many points they were measured.
    let points: Int
    let entries: [Entry]

    /// As much as attribution reads: a Datanet's snapshot of any size is within it.
    static let limits = JSONLimits(bytes: 1 << 30, items: 50_000_000)

    /// - Parameter count: bytes of all rows together.
    init(_ bytes: [UInt8], rowBytes count: Int) throws {
        let fields = try JSON.parse(bytes, limits: Self.limits).object()
        factors = try fields.digest("factors")
        points = try fields.int("checkpoints", in: 1...2)
        entries = try fields.array("rows", count: 0...5_000_000).map { entry in
            let entry = try entry.object()
            let offset = try entry.int("offset", in: 0...count)
            let length = try entry.int("length", in: 0...(count - offset))
            return Entry(
                item: try entry.id("item"), owner: try entry.optionalID("owner"), datanet: try entry.optionalID("datanet"),
                place: offset..<offset + length)
        }
    }

    /// Holds it against the rows that were to be learned from: a row of each in their order, with whose it is, then the canaries, and
    /// nothing else. A row under an item's name that nobody learned from would earn for it.
    func require(_ training: [JobRows.Row]) throws {
        let canaries = CanaryRows.names * CanaryRows.rowsOfEach
        guard entries.count == training.count + canaries else {
            throw EngineError.badWeights("\(entries.count) rows were handed in, of \(training.count) rows and \(canaries) canaries")
        }
        for (row, entry) in zip(training, entries) {
            guard entry.item == row.item, entry.owner == row.owner, entry.datanet == row.datanet else {
                throw EngineError.badWeights("a row of \(row.item) is said to be another's")
            }
        }
        for (number, entry) in entries.dropFirst(training.count).enumerated() {
            guard entry.item == AttributionRows.canary(number), entry.owner == nil, entry.datanet == nil else {
                throw EngineError.badWeights("\(entry.item) stands where \(AttributionRows.canary(number)) must")
            }
        }
        var end = 0
        for entry in entries {
            guard entry.place.lowerBound == end else { throw EngineError.badWeights("the row of \(entry.item) is not where the last ends") }
            end = entry.place.upperBound
        }
    }
}
