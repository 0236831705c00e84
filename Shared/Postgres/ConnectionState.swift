internal import Glibc
internal import Synchronization
internal import Threads

/// What of a connection is known without a hop to its thread.
final class ConnectionState: Sendable {
    private struct State {
        var operations: UInt64 = 0
        var running: (operation: UInt64, token: CancelToken)?
        var owner: UInt64?
        var broken = true
        var socket: Int32 = -1
        var backend: Int32 = 0
    }

    let made = ContinuousClock.now
    private let state = Lock(State())

    func opened(socket: Int32, backend: Int32) {
        state.withLock {
            $0.broken = false
            $0.socket = socket
            $0.backend = backend
        }
    }

    func closed() {
        state.withLock {
            $0.broken = true
            $0.socket = -1
        }
    }

    func markBroken() { state.withLock { $0.broken = true } }

    var isBroken: Bool { state.withLock { $0.broken } }
    var backend: Int32 { state.withLock { $0.backend } }

    /// The transaction that has the connection to itself.
    var owner: UInt64? {
        get { state.withLock { $0.owner } }
        set { state.withLock { $0.owner = newValue } }
    }

    func nextOperation() -> UInt64 {
        state.withLock {
            $0.operations += 1
            return $0.operations
        }
    }

    func began(_ operation: UInt64, _ token: CancelToken) { state.withLock { $0.running = (operation, token) } }
    func ended() { state.withLock { $0.running = nil } }

    /// Stops `operation` if it runs now; one that has not begun finds its task cancelled.
    func stop(_ operation: UInt64) {
        let token = state.withLock { state in state.running.flatMap { $0.operation == operation ? $0.token : nil } }
        token?.stop(operation)
    }

    /// Whether the server has said something by itself while nothing was asked: mostly that it goes away.
    var hasUnexpectedInput: Bool {
        state.withLock { state in
            guard state.socket >= 0 else { return true }
            var descriptor = pollfd(fd: state.socket, events: Int16(POLLIN), revents: 0)
            return poll(&descriptor, 1, 0) != 0
        }
    }
}
