/// What was made or fetched lately, as long as it takes no more than so many bytes; what was used longest ago goes first. The last thing
/// kept stays, whatever its size.
struct SizedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let bytes: Int
        var used: UInt64
    }

    private var entries: [Key: Entry] = [:]
    private var clock: UInt64 = 0
    private(set) var bytes = 0
    private let limit: Int
    private let most: Int

    /// - Parameters:
    ///   - limit: the most bytes.
    ///   - most: the most entries.
    init(limit: Int, most: Int = 256) {
        self.limit = limit
        self.most = most
    }

    var count: Int { entries.count }

    subscript(key: Key) -> Value? {
        mutating get {
            clock += 1
            entries[key]?.used = clock
            return entries[key]?.value
        }
    }

    /// - Parameter bytes: about what it takes.
    mutating func keep(_ value: Value, for key: Key, bytes size: Int) {
        remove(key)
        clock += 1
        entries[key] = Entry(value: value, bytes: size, used: clock)
        bytes += size
        while entries.count > 1, bytes > limit || entries.count > most {
            guard let oldest = entries.min(by: { $0.value.used < $1.value.used })?.key else { return }
            remove(oldest)
        }
    }

    mutating func remove(where isGone: (Key) -> Bool) {
        for key in entries.keys.filter(isGone) { remove(key) }
    }

    mutating func remove(_ key: Key) {
        if let entry = entries.removeValue(forKey: key) { bytes -= entry.bytes }
    }
}
