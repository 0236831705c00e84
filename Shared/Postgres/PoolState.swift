/// Who has which connection and who waits: the rules of a pool, without time, tasks or a server.
struct PoolState {
    struct Idle {
        let connection: PostgresConnection
        let since: ContinuousClock.Instant
    }

    typealias Waiter = CheckedContinuation<PostgresConnection, any Error>

    var idle: [Idle] = []
    var leased = 0
    var connecting = 0
    var waiters = WaiterQueue()
    var closers: [CheckedContinuation<Void, Never>] = []
    var isClosed = false
    var created = 0
    var failed = 0
    var lost = 0
    var timedOut = 0
    var lastFailure: PostgresError?

    var total: Int { idle.count + leased + connecting }

    /// Whether one more connection should be made: somebody waits for whom none is on the way.
    func wantsConnection(_ limit: Int) -> Bool { !isClosed && total < limit && connecting < waiters.count }

    var isEmpty: Bool { leased == 0 && connecting == 0 }
}

/// Callers that wait, first come, first served; one that gives up is taken out of the middle at no cost.
struct WaiterQueue {
    private var order: [UInt64] = []
    private var head = 0
    private var waiting: [UInt64: PoolState.Waiter] = [:]

    var count: Int { waiting.count }

    mutating func append(_ identifier: UInt64, _ waiter: PoolState.Waiter) {
        order.append(identifier)
        waiting[identifier] = waiter
    }

    mutating func popFirst() -> PoolState.Waiter? {
        while head < order.count {
            let identifier = order[head]
            head += 1
            if head > 64, head * 2 > order.count {
                order.removeFirst(head)
                head = 0
            }
            if let waiter = waiting.removeValue(forKey: identifier) { return waiter }
        }
        return nil
    }

    mutating func remove(_ identifier: UInt64) -> PoolState.Waiter? {
        let waiter = waiting.removeValue(forKey: identifier)
        // While the server is away nobody is popped: those who gave up must not pile up.
        if order.count > 64, order.count > 4 * waiting.count {
            order = order[head...].filter { waiting[$0] != nil }
            head = 0
        }
        return waiter
    }

    mutating func removeAll() -> [PoolState.Waiter] {
        defer { self = WaiterQueue() }
        return order[head...].compactMap { waiting[$0] }
    }
}

extension PoolState {
    /// Those who wait for the pool's end, once it is reached.
    mutating func takeClosers() -> [CheckedContinuation<Void, Never>] {
        guard isClosed, isEmpty else { return [] }
        defer { closers = [] }
        return closers
    }
}
