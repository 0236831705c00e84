internal import EventLog
internal import LedgerDomain
internal import Synchronization
internal import Threads

/// Where appends wait for the next commit. Those that arrive while one commit is under way go into the next together, so
/// a batch is as large as the load makes it, and an idle log waits for nothing.
final class AppendQueue: Sendable {
    /// One waiting append and who waits for it.
    struct Pending: Sendable {
        let append: PreparedAppend
        let continuation: CheckedContinuation<Result<Appended, LogError>, Never>
    }

    private struct State {
        var pending: [Pending] = []
        var bytes = 0
        var writer: CheckedContinuation<Bool, Never>?
        var refusal: LogError? = .notLeader("it has only just started")
    }

    /// More bytes than this may not wait: the answer is ``LogError/busy``.
    static let maximumBytes = 64 << 20
    /// A batch takes appends until it has this many bytes.
    static let batchBytes = 4 << 20
    /// A batch takes at most this many appends.
    static let batchAppends = 2_048

    private let state = Lock(State())

    /// Waits until the append is stored or refused.
    func submit(_ append: PreparedAppend) async -> Result<Appended, LogError> {
        await withCheckedContinuation { continuation in
            let (refusal, writer) = state.withLock { state -> (LogError?, CheckedContinuation<Bool, Never>?) in
                if let refusal = state.refusal { return (refusal, nil) }
                guard state.bytes + append.byteCount <= Self.maximumBytes else { return (.busy, nil) }
                state.pending.append(Pending(append: append, continuation: continuation))
                state.bytes += append.byteCount
                defer { state.writer = nil }
                return (nil, state.writer)
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) }
            writer?.resume(returning: true)
        }
    }

    /// Why appends are refused at present; nil when they are taken.
    var refusal: LogError? { state.withLock { $0.refusal } }

    /// Takes appends from now on.
    func open() { state.withLock { $0.refusal = nil } }

    /// Refuses appends from now on, those that wait included.
    func close(_ reason: LogError) {
        let (waiting, writer) = state.withLock { state in
            state.refusal = reason
            defer {
                state.pending = []
                state.bytes = 0
                state.writer = nil
            }
            return (state.pending, state.writer)
        }
        for pending in waiting { pending.continuation.resume(returning: .failure(reason)) }
        writer?.resume(returning: false)
    }

    /// The writer's side: waits until there is something to write; false when the wait was called off.
    func waitForWork() async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled || state.refusal != nil { return false }
                    if !state.pending.isEmpty { return true }
                    state.writer = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let writer = state.withLock { state in
                defer { state.writer = nil }
                return state.writer
            }
            writer?.resume(returning: false)
        }
    }

    /// Wakes the writer with nothing to do, so that it can look after its connection.
    func nudge() {
        let writer = state.withLock { state in
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume(returning: true)
    }

    /// The writer's side: the next batch; empty when nothing waits.
    func take() -> [Pending] {
        state.withLock { state in
            if state.bytes <= Self.batchBytes, state.pending.count <= Self.batchAppends {
                defer {
                    state.pending = []
                    state.bytes = 0
                }
                return state.pending
            }
            var count = 0
            var bytes = 0
            while count < state.pending.count, count < Self.batchAppends, bytes < Self.batchBytes {
                bytes += state.pending[count].append.byteCount
                count += 1
            }
            let batch = Array(state.pending.prefix(count))
            state.pending.removeFirst(count)
            state.bytes -= bytes
            return batch
        }
    }
}
