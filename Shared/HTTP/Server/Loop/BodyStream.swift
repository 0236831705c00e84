internal import HTTP
internal import Synchronization
internal import Threads

/// A request's body between the loop, which pushes, and the handler, which reads.
final class BodyStream: BodySource {
    private struct State {
        var chunks: [[UInt8]] = []
        var first = 0
        var buffered = 0
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var hasEnded = false
        var failure: (any Error)?
        var isPaused = false
        var needsContinue: Bool
    }

    /// What a look into the state gives the reader.
    private enum Found: Sendable {
        case chunk([UInt8])
        case end
        case failure(any Error)
        case nothing
    }

    /// Above the one the socket is no longer read, below the other it is again.
    private static let high = 256 << 10
    private static let low = 64 << 10
    private static let joinedUpTo = 16 << 10

    private let state: Lock<State>
    private let mailbox: Mailbox
    private let key: Key

    /// - Parameter needsContinue: whether the client waits to be asked for the body (RFC 9110 §10.1.1).
    init(mailbox: Mailbox, key: Key, needsContinue: Bool) {
        state = Lock(State(needsContinue: needsContinue))
        self.mailbox = mailbox
        self.key = key
    }

    // MARK: the loop's side

    /// Whether enough is queued, so that reading stops until `.readMore` comes.
    func push(_ chunk: [UInt8]) -> Bool {
        let (reader, isFull) = state.withLock { state -> (CheckedContinuation<[UInt8]?, any Error>?, Bool) in
            if let reader = state.reader {
                state.reader = nil
                return (reader, false)
            }
            // One-byte chunks must not cost an array each.
            if let last = state.chunks.indices.last, last >= state.first, state.chunks[last].count + chunk.count <= Self.joinedUpTo {
                state.chunks[last].append(contentsOf: chunk)
            } else {
                state.chunks.append(chunk)
            }
            state.buffered += chunk.count
            state.isPaused = state.buffered >= Self.high
            return (nil, state.isPaused)
        }
        reader?.resume(returning: chunk)
        return isFull
    }

    /// No more comes: since the body is whole, or for the given reason, which drops what was not read.
    func end(_ failure: (any Error)? = nil) {
        let reader = state.withLock { state -> CheckedContinuation<[UInt8]?, any Error>? in
            if state.hasEnded { return nil }
            state.hasEnded = true
            state.failure = failure
            if failure != nil {
                state.chunks = []
                state.first = 0
                state.buffered = 0
            }
            defer { state.reader = nil }
            return state.reader
        }
        if let failure { reader?.resume(throwing: failure) } else { reader?.resume(returning: nil) }
    }

    // MARK: the handler's side

    func next() async throws -> [UInt8]? {
        let (found, mail) = state.withLock { Self.take(&$0) }
        if let mail { mailbox.post(key, mail) }
        switch found {
        case .chunk(let chunk): return chunk
        case .end: return nil
        case .failure(let error): throw error
        case .nothing: return try await wait()
        }
    }

    private func wait() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (found, mail) = state.withLock { state -> (Found, Mail.Kind?) in
                    let (found, mail) = Self.take(&state)
                    guard case .nothing = found else { return (found, mail) }
                    if Task.isCancelled { return (.failure(CancellationError()), mail) }
                    precondition(state.reader == nil, "a request's body has one reader")
                    state.reader = continuation
                    return (.nothing, mail)
                }
                if let mail { mailbox.post(key, mail) }
                switch found {
                case .chunk(let chunk): continuation.resume(returning: chunk)
                case .end: continuation.resume(returning: nil)
                case .failure(let error): continuation.resume(throwing: error)
                case .nothing: break
                }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }

    private static func take(_ state: inout State) -> (Found, Mail.Kind?) {
        if state.first < state.chunks.count {
            let chunk = state.chunks[state.first]
            state.chunks[state.first] = []
            state.first += 1
            state.buffered -= chunk.count
            if state.first == state.chunks.count {
                state.chunks.removeAll(keepingCapacity: true)
                state.first = 0
            }
            guard state.isPaused, state.buffered <= low else { return (.chunk(chunk), nil) }
            state.isPaused = false
            return (.chunk(chunk), .readMore)
        }
        if let failure = state.failure { return (.failure(failure), nil) }
        if state.hasEnded { return (.end, nil) }
        guard state.needsContinue else { return (.nothing, nil) }
        state.needsContinue = false
        return (.nothing, .sendContinue)
    }
}
