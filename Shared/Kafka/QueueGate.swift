/// Who may try next when librdkafka's queue is full: a line in order of arrival, so that nobody starves and no late
/// batch overtakes an early one. Pure state; ``ProducerCore`` keeps it under its lock.
struct QueueGate {
    enum Grant: Sendable {
        case go, closed, cancelled
    }
    typealias Waiter = CheckedContinuation<Grant, Never>

    /// Grows whenever the queue may have got room, so that a wait begun a moment too late does not miss it.
    private(set) var epoch: UInt64 = 0
    private var line: [(id: UInt64, waiter: Waiter)] = []
    private var cancelled: Set<UInt64> = []
    private var lastID: UInt64 = 0
    /// One sender at a time is called from the line; the others stay in it until that one is through.
    private var turnTaken = false

    mutating func newWaiter() -> UInt64 {
        lastID += 1
        return lastID
    }

    func mayTry(holdsTurn: Bool) -> Bool { holdsTurn || (!turnTaken && line.isEmpty) }

    mutating func wait(_ id: UInt64, _ waiter: Waiter, since epoch: UInt64, holdsTurn: Bool) {
        if holdsTurn { turnTaken = false }
        if cancelled.contains(id) {
            waiter.resume(returning: .cancelled)
        } else {
            line.insert((id, waiter), at: holdsTurn ? 0 : line.count)
            if self.epoch == epoch { return }
        }
        callNext()
    }

    /// The handler of a cancellation may run before the wait, during it, or after it.
    mutating func cancel(_ id: UInt64) {
        if let place = line.firstIndex(where: { $0.id == id }) {
            line.remove(at: place).waiter.resume(returning: .cancelled)
        } else {
            cancelled.insert(id)
        }
    }

    /// The wait is over, however it ended.
    mutating func forget(_ id: UInt64) { cancelled.remove(id) }

    mutating func roomWasMade() {
        epoch += 1
        callNext()
    }

    mutating func giveTurnBack() {
        turnTaken = false
        // Who was sent away because of this turn, and is not in line yet, must not wait for a delivery that may never come.
        epoch += 1
        callNext()
    }

    mutating func closeAll() {
        for (_, waiter) in line { waiter.resume(returning: .closed) }
        line = []
    }

    private mutating func callNext() {
        guard !turnTaken, !line.isEmpty else { return }
        turnTaken = true
        line.removeFirst().waiter.resume(returning: .go)
    }
}
