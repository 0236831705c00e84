internal import Synchronization
internal import Threads

/// A few values by key, the last put in last out: for what is costly to make and asked for again and again.
public final class ReplayCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Contents {
        var values: [Key: Value] = [:]
        var order: [Key] = []
    }

    private let contents = Lock(Contents())
    private let limit: Int

    /// - Parameter limit: how many are kept.
    public init(limit: Int) { self.limit = max(limit, 1) }

    /// The value; nil when it is not kept.
    public subscript(key: Key) -> Value? {
        get { contents.withLock { $0.values[key] } }
        set {
            guard let newValue else { return }
            contents.withLock { contents in
                guard contents.values.updateValue(newValue, forKey: key) == nil else { return }
                contents.order.append(key)
                if contents.order.count > limit { contents.values[contents.order.removeFirst()] = nil }
            }
        }
    }
}
