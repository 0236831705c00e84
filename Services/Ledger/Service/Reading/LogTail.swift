internal import EventLog
internal import Synchronization
internal import Threads

/// The end of the log as this process knows it: how long the log is, its newest events, and who waits for more.
///
/// What is here is committed. A reader near the end never touches the database.
public final class LogTail: Sendable {
    fileprivate struct State {
        var size: UInt64 = 0
        var events: [LoggedEvent] = []
        var first = 0
        var bytes = 0
        var waiters: [UInt64: Waiter] = [:]
        var isDraining = false
        var serial: UInt64 = 0
    }

    /// Newest events kept, by their bytes.
    static let keptBytes = 32 << 20
    private let state = Lock(State())

    /// Over a log of unknown length.
    public init() {}

    /// How many events are committed.
    public var size: UInt64 { state.withLock { $0.size } }

    /// Newly committed events, in order; `events` may be empty when another process wrote them.
    func advance(to size: UInt64, events: [LoggedEvent]) {
        let woken = state.withLock { state -> [Waiter] in
            guard size > state.size else { return [] }
            if let next = events.first, next.position != state.size || state.nextKept.map({ $0 != next.position }) == true {
                state.drop()
            }
            if events.isEmpty { state.drop() }
            state.size = size
            state.events.append(contentsOf: events)
            state.bytes += events.reduce(0) { $0 + $1.bytes.count }
            state.trim()
            var woken: [Waiter] = []
            for (id, waiter) in state.waiters where waiter.position < size {
                woken.append(waiter)
                state.waiters[id] = nil
            }
            return woken
        }
        for waiter in woken { waiter.wake() }
    }

    /// Events from a position on when they are all still here; nil when the database must be asked.
    func recent(from position: UInt64, limit: Int, byteLimit: Int) -> LogBatch? {
        state.withLock { state in
            if position >= state.size { return LogBatch(events: [], size: state.size) }
            guard state.first < state.events.count, state.events[state.first].position <= position else { return nil }
            let start = state.first + Int(position - state.events[state.first].position)
            var end = start
            var bytes = 0
            while end < state.events.count, end - start < limit, bytes < byteLimit {
                bytes += state.events[end].bytes.count
                end += 1
            }
            return LogBatch(events: Array(state.events[start..<end]), size: state.size)
        }
    }

    /// Whether nobody waits here any more, since the process is stopping.
    var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Sends everybody home who waits for the log to grow, and whoever comes later at once.
    func drain() {
        let waiters = state.withLock { state in
            state.isDraining = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.wake() }
    }

    /// Returns when the log is longer than `position`, or after `wait`, or when the caller is cancelled.
    func waitPast(_ position: UInt64, for wait: Duration) async {
        let id = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    if state.size > position || state.isDraining || Task.isCancelled { return true }
                    state.waiters[id] = Waiter(position: position, continuation: continuation)
                    return false
                }
                if ready { continuation.resume() } else { setAlarm(id, after: wait) }
            }
        } onCancel: {
            self.release(id)
        }
    }

    private func setAlarm(_ id: UInt64, after wait: Duration) {
        let alarm = Task {
            try await Task.sleep(for: wait)
            self.release(id)
        }
        let isGone = state.withLock { state in
            state.waiters[id]?.alarm = alarm
            return state.waiters[id] == nil
        }
        if isGone { alarm.cancel() }
    }

    private func release(_ id: UInt64) {
        state.withLock { $0.waiters.removeValue(forKey: id) }?.wake()
    }
}

/// Who waits for the log to grow past a position.
private struct Waiter: Sendable {
    let position: UInt64
    let continuation: CheckedContinuation<Void, Never>
    var alarm: Task<Void, any Error>?

    func wake() {
        alarm?.cancel()
        continuation.resume()
    }
}

extension LogTail.State {
    fileprivate var nextKept: UInt64? { first < events.count ? events[events.count - 1].position + 1 : nil }

    fileprivate mutating func drop() {
        events = []
        first = 0
        bytes = 0
    }

    /// Forgets the oldest above the bound; moves the rest only when half of the array is waste.
    fileprivate mutating func trim() {
        while bytes > LogTail.keptBytes, first < events.count {
            bytes -= events[first].bytes.count
            first += 1
        }
        guard first > events.count / 2 else { return }
        events.removeFirst(first)
        first = 0
    }
}
