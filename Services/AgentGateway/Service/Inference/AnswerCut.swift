internal import Synchronization
internal import Threads
internal import Web

/// Ends one answer before its time, and says why: whatever is done for it just then is cancelled, what was heard is recorded and paid.
final class AnswerCut: Sendable {
    private struct State {
        var why: Problem?
        var cancel: (@Sendable () -> Void)?
    }

    private let state = Lock(State())

    /// Why it was cut; nil as long as it was not. Who has heard nothing yet is told.
    var why: Problem? { state.withLock { $0.why } }

    /// Cuts it. The first reason stands.
    func callAsFunction(_ why: Problem) {
        let cancel = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.why == nil else { return nil }
            state.why = why
            return state.cancel.take()
        }
        cancel?()
    }

    /// From now on cutting cancels this, in place of what was before; at once where it was cut already.
    func cancels(_ cancel: @escaping @Sendable () -> Void) {
        let isCut = state.withLock { state -> Bool in
            guard state.why == nil else { return true }
            state.cancel = cancel
            return false
        }
        if isCut { cancel() }
    }

    /// Does something that can be cut.
    /// - Throws: what `work` throws, and why it was cut where that ended it.
    func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await work() }
        cancels { task.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            throw told(error)
        }
    }

    /// What a caller is told of an error: that it was cut, where nothing else is known.
    func told(_ error: any Error) -> any Error { error is CancellationError ? why ?? error : error }
}
