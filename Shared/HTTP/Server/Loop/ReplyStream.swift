internal import HTTP
internal import Synchronization
internal import Threads

/// A streamed reply between the handler, which writes, and the loop, which sends.
final class ReplyStream: BodySink {
    private struct State {
        var buffered = 0
        var isClosed = false
        var writers: [Int: CheckedContinuation<Void, any Error>] = [:]
        var serial = 0
    }

    /// Writers wait above the one; the loop gives room back once its queue is below the other.
    static let high = 64 << 10
    static let low = 32 << 10

    private let state = Lock(State())
    private let mailbox: Mailbox
    private let key: Key

    init(mailbox: Mailbox, key: Key) {
        self.mailbox = mailbox
        self.key = key
    }

    func write(_ bytes: [UInt8]) async throws {
        if bytes.isEmpty { return }
        try Task.checkCancellation()
        let (isOpen, hasRoom, ticket) = state.withLock { state -> (Bool, Bool, Int) in
            if state.isClosed { return (false, false, 0) }
            state.buffered += bytes.count
            state.serial += 1
            return (true, state.buffered < Self.high, state.serial)
        }
        guard isOpen else { throw Disconnected() }
        mailbox.post(key, .chunk(bytes))
        if hasRoom { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let result = state.withLock { state -> Result<Void, any Error>? in
                    if state.isClosed { return .failure(Disconnected()) }
                    if state.buffered < Self.high { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.writers[ticket] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.writers.removeValue(forKey: ticket) }?.resume(throwing: CancellationError())
        }
    }

    // MARK: the loop's side

    /// So many bytes have left.
    func release(_ count: Int) {
        let writers = state.withLock { state -> [Int: CheckedContinuation<Void, any Error>] in
            state.buffered -= count
            if state.writers.isEmpty || state.buffered > Self.low { return [:] }
            defer { state.writers = [:] }
            return state.writers
        }
        for writer in writers.values { writer.resume() }
    }

    /// Nobody reads any longer.
    func close() {
        let writers = state.withLock { state in
            state.isClosed = true
            defer { state.writers = [:] }
            return state.writers
        }
        for writer in writers.values { writer.resume(throwing: Disconnected()) }
    }
}
