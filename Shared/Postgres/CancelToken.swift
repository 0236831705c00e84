internal import CPostgres
internal import Glibc
internal import Synchronization
internal import Threads

/// Stops what a connection's thread is doing, from another thread.
///
/// libpq's cancel request names a backend, not a statement. So that one never hits the statement after the one it was meant for,
/// requests are only made while `gate` is held and the operation is still the same; and the connection's thread takes `gate` to
/// begin and to end an operation. Since `gate` is held through a network call, only threads of our own may take it.
// Unchecked: `cancel` is only read, and libpq allows PQcancel on one object from any thread (PostgreSQL manual, 34.7); it is freed
// when nobody holds the token any more.
final class CancelToken: @unchecked Sendable {
    private let cancel: OpaquePointer?
    private let gate = Lock<UInt64?>(nil)

    init(_ cancel: OpaquePointer?) { self.cancel = cancel }

    deinit { PQfreeCancel(cancel) }

    /// The connection's thread begins an operation that ``stop(_:)`` may stop.
    func begin(_ operation: UInt64) { gate.withLock { $0 = operation } }

    /// The operation is over, or is no longer to be stopped.
    func end() { gate.withLock { $0 = nil } }

    /// Asks the server to stop `operation`, again and again until it is over: a request that comes between two statements of an
    /// operation is lost. Returns at once.
    func stop(_ operation: UInt64) {
        OSThread.start(name: "pg-cancel") { [self] in
            var pause: UInt32 = 20
            while request(operation) {
                usleep(pause * 1000)
                pause = min(1000, pause * 2)
            }
        }
    }

    private func request(_ operation: UInt64) -> Bool {
        gate.withLock { current in
            guard current == operation, let cancel else { return false }
            var message = [CChar](repeating: 0, count: 256)
            PQcancel(cancel, &message, Int32(message.count))
            return true
        }
    }
}
