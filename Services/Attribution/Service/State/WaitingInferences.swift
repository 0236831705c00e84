internal import Events

/// Answers without an attribution, in the log's order.
struct WaitingInferences: Sendable {
    /// One of them.
    struct Entry: Sendable {
        let completed: InferenceCompleted
        let trigger: Trigger
    }

    private var entries: [UInt64: Entry] = [:]
    private var positions: [String: UInt64] = [:]
    /// Where each stood when it came; those that are done are passed over, and dropped now and then.
    private var order: [UInt64] = []
    private var head = 0

    var count: Int { entries.count }

    /// Where the first one stands.
    var firstPosition: UInt64? { first(1).first?.trigger.position }

    mutating func add(_ entry: Entry) {
        guard positions[entry.completed.inference] == nil else { return }
        positions[entry.completed.inference] = entry.trigger.position
        entries[entry.trigger.position] = entry
        order.append(entry.trigger.position)
    }

    /// - Returns: the answer that no longer waits.
    @discardableResult
    mutating func remove(_ inference: String) -> Entry? {
        guard let position = positions.removeValue(forKey: inference) else { return nil }
        let entry = entries.removeValue(forKey: position)
        while head < order.count, entries[order[head]] == nil { head += 1 }
        if head > 1_024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        return entry
    }

    /// The first ones.
    func first(_ limit: Int) -> [Entry] {
        var found: [Entry] = []
        for position in order[head...] where found.count < limit {
            if let entry = entries[position] { found.append(entry) }
            if found.count == limit { break }
        }
        return found
    }

    subscript(inference: String) -> Entry? { positions[inference].flatMap { entries[$0] } }
}
