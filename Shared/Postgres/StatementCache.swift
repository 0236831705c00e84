/// What a connection has prepared, the statement used longest ago first to go.
struct StatementCache {
    struct Entry {
        let name: String
        let types: [UInt32]
        var used: UInt64
    }

    private var entries: [Statement: Entry] = [:]
    private var clock: UInt64 = 0
    private var serial: UInt64 = 0
    private let limit: Int

    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { entries.count }

    /// The present moment: what is used from now on is not evicted by ``victim(since:)``.
    var now: UInt64 { clock + 1 }

    mutating func find(_ statement: Statement) -> Entry? {
        clock += 1
        guard let index = entries.index(forKey: statement) else { return nil }
        entries.values[index].used = clock
        return entries.values[index]
    }

    mutating func nextName() -> String {
        serial += 1
        return "s\(serial)"
    }

    mutating func insert(_ statement: Statement, _ name: String, _ types: [UInt32]) -> Entry {
        clock += 1
        let entry = Entry(name: name, types: types, used: clock)
        entries[statement] = entry
        return entry
    }

    /// The statement to deallocate before another is prepared, if there is no room and one was not used since `moment`.
    func victim(since moment: UInt64) -> (Statement, String)? {
        guard entries.count >= limit, let oldest = entries.min(by: { $0.value.used < $1.value.used }), oldest.value.used < moment
        else { return nil }
        return (oldest.key, oldest.value.name)
    }

    mutating func forget(_ statement: Statement) { entries[statement] = nil }
    mutating func forgetAll() { entries.removeAll() }
}
