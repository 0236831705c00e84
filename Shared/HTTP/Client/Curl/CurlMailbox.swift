internal import CCurl
internal import Glibc
internal import Synchronization
internal import Threads

/// What tasks tell the curl thread, in order.
final class CurlMailbox: Sendable {
    enum Command: Sendable {
        case start(CurlTransfer)
        /// The transfer has ended on the task's side; forget it.
        case drop(CurlTransfer)
        /// There is room for the answer again, or more of the body to send.
        case resume(CurlTransfer)
        case stop
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
        var hasStopped = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Readable while commands wait.
    let wakeUp: FileDescriptor
    private let state = Lock(State())

    init() throws(HTTPClientError) {
        wakeUp = try FileDescriptor(eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)), of: "eventfd")
    }

    /// Whether the command will be looked at; false once the transport is closed.
    @discardableResult
    func post(_ command: Command) -> Bool {
        let (isOpen, wasEmpty) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (false, false) }
            state.commands.append(command)
            if case .stop = command { state.isClosed = true }
            return (true, state.commands.count == 1)
        }
        // Commands that wait already have woken the thread.
        if wasEmpty { wakeUp.signal() }
        return isOpen
    }

    func take() -> [Command] {
        state.withLock { state in
            let commands = state.commands
            state.commands = []
            return commands
        }
    }

    /// Called by the thread at its very end.
    func markStopped() {
        let (waiters, late) = state.withLock { state -> ([CheckedContinuation<Void, Never>], [Command]) in
            state.isClosed = true
            state.hasStopped = true
            defer {
                state.stopWaiters = []
                state.commands = []
            }
            return (state.stopWaiters, state.commands)
        }
        for case .start(let transfer) in late { transfer.finish(.failure(HTTPClientError.closed)) }
        for waiter in waiters { waiter.resume() }
    }

    func waitUntilStopped() async {
        await withCheckedContinuation { continuation in
            let hasStopped = state.withLock { state in
                if !state.hasStopped { state.stopWaiters.append(continuation) }
                return state.hasStopped
            }
            if hasStopped { continuation.resume() }
        }
    }
}
