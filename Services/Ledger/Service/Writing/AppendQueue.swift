internal import EventLog
internal import LedgerDomain
internal import Synchronization
internal import Threads

/// Where appends wait for the next commit. Those that arrive while one commit is under way go into the next together, so
/// a batch is as large as the load makes it, and an idle log waits for nothing.
///
/// Callers wait as tasks; the one writer waits as a thread, the thread of the connection that it writes on.
final class AppendQueue: Sendable {
    /// One waiting append and who waits for it.
    struct Pending: Sendable {
        let append: PreparedAppend
        let waiter: Waiter
        /// What it was handed in by, so that whoever handed it in can take it back.
        let ticket: UInt64
        /// When it was handed in.
        let since: ContinuousClock.Instant
    }

    /// Who waits for an append: somebody for this one, or for a run of which it is one.
    enum Waiter: Sendable {
        case one(CheckedContinuation<Result<Appended, LogError>, Never>)
        case run(AppendRun, place: Int)

        func resume(returning answer: Result<Appended, LogError>) {
            switch self {
            case .one(let continuation): continuation.resume(returning: answer)
            case .run(let run, let place): run.answer(answer, at: place)
            }
        }
    }

    fileprivate struct State {
        var pending: [Pending] = []
        var bytes = 0
        var isWriterWaiting = false
        /// Since when the oldest append of each batch waits that was taken and not answered yet, in their order.
        var taken: [ContinuousClock.Instant] = []
        var refusal: LogError? = .notLeader("it has only just started")
    }

    /// More bytes than this may not wait: the answer is ``LogError/busy``.
    static let maximumBytes = 64 << 20
    /// A batch takes appends until it has this many bytes.
    static let batchBytes = 4 << 20
    /// A batch takes at most this many appends.
    static let batchAppends = 2_048
    /// With more callers than this, half of them are left for the next batch: while one half is being written, the callers of the
    /// other prepare what they send next, and neither processor waits for the other. Whoever handed in many together is one caller, who is
    /// answered once all of them are stored.
    static let undividedCallers = 48

    private let state = Lock(State())
    private let work = ThreadSignal()
    private let tickets = Atomic<UInt64>(0)

    /// Waits until the append is stored or refused. One whose caller is cancelled before the writer has taken it is given back; what was
    /// taken may be stored, and is waited for.
    func submit(_ append: PreparedAppend) async -> Result<Appended, LogError> {
        let ticket = tickets.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refusal = put([Pending(append: append, waiter: .one(continuation), ticket: ticket, since: .now)])
                if let refusal { return continuation.resume(returning: .failure(refusal)) }
                if Task.isCancelled { giveBack(ticket) }
            }
        } onCancel: {
            giveBack(ticket)
        }
    }

    /// Puts several in together, none of anybody else's between them, and waits until each is stored or refused.
    func submit(_ appends: [PreparedAppend]) async -> [Result<Appended, LogError>] {
        if appends.isEmpty { return [] }
        let ticket = tickets.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let run = AppendRun(appends.count, continuation)
                let now = ContinuousClock.now
                let pending = appends.enumerated().map { Pending(append: $1, waiter: .run(run, place: $0), ticket: ticket, since: now) }
                if let refusal = put(pending) {
                    for one in pending { one.waiter.resume(returning: .failure(refusal)) }
                } else if Task.isCancelled {
                    giveBack(ticket)
                }
            }
        } onCancel: {
            giveBack(ticket)
        }
    }

    /// Takes back what was handed in by a ticket, as far as the writer has not taken it.
    private func giveBack(_ ticket: UInt64) {
        let given = state.withLock { state -> [Pending] in
            let given = state.pending.filter { $0.ticket == ticket }
            if given.isEmpty { return given }
            state.pending.removeAll { $0.ticket == ticket }
            state.bytes -= given.reduce(0) { $0 + $1.append.byteCount }
            return given
        }
        let answer = LogError.unavailable("its caller has gone before it was taken in: nothing of it is stored")
        for pending in given { pending.waiter.resume(returning: .failure(answer)) }
    }

    /// Since when the oldest append waits that has no answer yet; nil when there is none.
    var oldest: ContinuousClock.Instant? { state.withLock { $0.taken.first ?? $0.pending.first?.since } }

    /// The oldest batch that was taken has its answers.
    func answered() { state.withLock { if !$0.taken.isEmpty { $0.taken.removeFirst() } } }

    /// Takes all of them or none.
    private func put(_ appends: [Pending]) -> LogError? {
        let count = appends.reduce(0) { $0 + $1.append.byteCount }
        let (refusal, wakes) = state.withLock { state -> (LogError?, Bool) in
            if let refusal = state.refusal { return (refusal, false) }
            guard state.bytes + count <= Self.maximumBytes else { return (.busy, false) }
            state.pending += appends
            state.bytes += count
            defer { state.isWriterWaiting = false }
            return (nil, state.isWriterWaiting)
        }
        if wakes { work.raise() }
        return refusal
    }

    /// How many wait to be taken.
    var count: Int { state.withLock { $0.pending.count } }

    /// Why appends are refused at present; nil when they are taken.
    var refusal: LogError? { state.withLock { $0.refusal } }

    /// Takes appends from now on.
    func open() {
        state.withLock { state in
            state.refusal = nil
            state.taken = []
        }
    }

    /// Refuses appends from now on, those that wait included, and sends the writer home.
    func close(_ reason: LogError) {
        let waiting = state.withLock { state in
            state.refusal = reason
            defer {
                state.pending = []
                state.bytes = 0
            }
            return state.pending
        }
        for pending in waiting { pending.waiter.resume(returning: .failure(reason)) }
        work.raise()
    }

    /// The writer's side, on its own thread: the next batch, as soon as there is one; empty when there was none for
    /// `patience`; nil when the queue is closed.
    func next(patience: Duration) -> [Pending]? {
        if let batch = take() { return batch.isEmpty ? wait(patience) : batch }
        return nil
    }

    /// What waits, if it is at least `count` appends; for a writer that has time before it can write it.
    func ready(atLeast count: Int) -> [Pending]? {
        state.withLock { state in
            if state.refusal != nil || state.pending.count < count { return nil }
            return state.takeBatch()
        }
    }

    private func wait(_ patience: Duration) -> [Pending]? {
        _ = work.wait(atMost: patience)
        return take()
    }

    private func take() -> [Pending]? {
        state.withLock { state in
            if state.refusal != nil { return nil }
            state.isWriterWaiting = state.pending.isEmpty
            return state.takeBatch()
        }
    }
}

extension AppendQueue.State {
    /// By whom what waits was handed in, each as often as they came.
    private var callers: Int { pending.indices.count(where: isNewCaller) }

    private func isNewCaller(_ place: Int) -> Bool { place == 0 || pending[place].ticket != pending[place - 1].ticket }

    /// Takes what goes into one batch out of what waits.
    fileprivate mutating func takeBatch() -> [AppendQueue.Pending] {
        if let oldest = pending.first { taken.append(oldest.since) }
        let callers = callers
        if bytes <= AppendQueue.batchBytes, pending.count <= AppendQueue.batchAppends, callers <= AppendQueue.undividedCallers {
            defer {
                pending = []
                bytes = 0
            }
            return pending
        }
        var count = 0
        var taken = 0
        var left = max(AppendQueue.undividedCallers, (callers + 1) / 2)
        while count < pending.count, count < AppendQueue.batchAppends, taken < AppendQueue.batchBytes {
            if isNewCaller(count) {
                if left == 0 { break }
                left -= 1
            }
            taken += pending[count].append.byteCount
            count += 1
        }
        let batch = Array(pending.prefix(count))
        pending.removeFirst(count)
        bytes -= taken
        return batch
    }
}
