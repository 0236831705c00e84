/// A bounded cache in two generations: what is used again within the last `capacity` new keys stays, the rest goes, at
/// constant cost and with no list to maintain.
struct RecentCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(capacity: Int) { self.capacity = capacity }

    subscript(key: Key) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old[key] else { return nil }
            self[key] = value
            return value
        }
        set {
            young[key] = newValue
            if newValue == nil { old[key] = nil }
            guard young.count >= capacity else { return }
            old = young
            young = [:]
        }
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
