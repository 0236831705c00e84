internal import Events

/// Answers without an attribution, in the log's order. Of those far behind only the place is kept: the rest stands on the log.
struct WaitingInferences: Sendable {
    /// One of them.
    struct Entry: Sendable {
        let completed: InferenceCompleted
        let trigger: Trigger
    }

    /// Where one stands, and what it says, as far as that is kept.
    struct Place: Sendable {
        let position: UInt64
        let entry: Entry?
    }

    private struct Record: Sendable {
        let inference: String
        /// Who may read its texts.
        let readers: [String]
        var entry: Entry?
    }

    /// The most whose events are kept.
    private let keeping: Int
    private var kept = 0
    private var records: [UInt64: Record] = [:]
    private var positions: [String: UInt64] = [:]
    /// Where each stood when it came; those that are done are passed over, and dropped now and then.
    private var order: [UInt64] = []
    private var head = 0

    /// - Parameter keeping: the most whose events are kept.
    init(keeping: Int = 4_096) { self.keeping = keeping }

    var count: Int { records.count }

    /// Where the first one stands that is not left out.
    func firstPosition(without skipped: Set<UInt64> = []) -> UInt64? { first(1, without: skipped).first?.position }

    mutating func add(_ entry: Entry) {
        let completed = entry.completed
        guard positions[completed.inference] == nil else { return }
        positions[completed.inference] = entry.trigger.position
        let isKept = kept < keeping
        if isKept { kept += 1 }
        records[entry.trigger.position] = Record(
            inference: completed.inference, readers: [completed.payer, completed.actor], entry: isKept ? entry : nil)
        order.append(entry.trigger.position)
    }

    /// - Returns: who may read the texts of the answer that no longer waits.
    @discardableResult
    mutating func remove(_ inference: String) -> [String] {
        guard let position = positions.removeValue(forKey: inference) else { return [] }
        let record = records.removeValue(forKey: position)
        if record?.entry != nil { kept -= 1 }
        while head < order.count, records[order[head]] == nil { head += 1 }
        if head > 1_024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        return record?.readers ?? []
    }

    /// The first ones.
    func first(_ limit: Int, without skipped: Set<UInt64> = []) -> [Place] {
        var found: [Place] = []
        for position in order[head...] where !skipped.contains(position) {
            if let record = records[position] { found.append(Place(position: position, entry: record.entry)) }
            if found.count == limit { break }
        }
        return found
    }

    /// Whether the answer at a position waits.
    func contains(position: UInt64) -> Bool { records[position] != nil }

    /// Whether an answer waits.
    func contains(_ inference: String) -> Bool { positions[inference] != nil }
}
