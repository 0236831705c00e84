import Glibc
import Synchronization
import Threads

/// The last bytes of a child's output. A thread of its own reads the pipe, so a chatty child never stalls on it.
final class OutputTail: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var ended = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Lock(State())
    private let childEnded = Lock(false)
    private let limit: Int

    /// Reads `descriptor`, which it owns from here on, until the end.
    init(reading descriptor: Int32, limit: Int) {
        self.limit = max(limit, 1)
        OSThread.start(name: "child-output") { [self] in pump(descriptor) }
    }

    /// What has come so far. A character cut by the limit shows as U+FFFD.
    var text: String { state.withLock { String(decoding: $0.bytes.suffix(limit), as: UTF8.self) } }

    /// Called once the child has gone: whatever it wrote is in the pipe by now, so the reader may stop when the pipe
    /// is empty, even where a grandchild still holds it open.
    func childHasEnded() { childEnded.withLock { $0 = true } }

    /// Waits until all output has been read.
    func finished() async {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Bool in
                if !state.ended { state.waiters.append(continuation) }
                return state.ended
            }
            if now { continuation.resume() }
        }
    }

    private func pump(_ descriptor: Int32) {
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, 50)
            if ready < 0 && errno == EINTR { continue }
            if ready == 0 {
                if childEnded.withLock({ $0 }) { break }
                continue
            }
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            state.withLock { state in
                state.bytes.append(contentsOf: chunk[..<count])
                // Trimmed at twice the limit, so that each byte moves at most twice.
                if state.bytes.count > 2 * limit { state.bytes.removeFirst(state.bytes.count - limit) }
            }
        }
        close(descriptor)
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.ended = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
