internal import HTTP
internal import Synchronization
internal import Threads

/// One exchange as its task and the curl thread both see it.
final class CurlTransfer: Sendable {
    private struct State {
        var head: ResponseHead?
        var headWaiter: CheckedContinuation<ResponseHead, any Error>?
        var buffer: [UInt8] = []
        var isPaused = false
        var bodyWaiter: CheckedContinuation<[UInt8]?, any Error>?
        var end: Result<Void, any Error>?
        var producer: Task<Void, Never>?

        /// What a reader of the body gets without waiting; nil when it must wait.
        mutating func takeBody() -> Result<[UInt8]?, any Error>? {
            if !buffer.isEmpty {
                defer { buffer = [] }
                return .success(buffer)
            }
            return end.map { end in end.map { nil } }
        }
    }

    /// The most bytes that wait for a reader before the sender is held back, give or take one read of the socket.
    static let highWater = 256 << 10

    let request: ClientRequest
    let upload: UploadBuffer?
    private let mailbox: CurlMailbox
    private let state = Lock(State())

    init(_ request: ClientRequest, mailbox: CurlMailbox) {
        self.request = request
        self.mailbox = mailbox
        if case .stream = request.body { upload = UploadBuffer() } else { upload = nil }
    }

    // MARK: the task's side

    /// Starts the exchange and waits for the head of the answer.
    func head() async throws -> ResponseHead {
        try await withCheckedThrowingContinuation { continuation in
            let ended: (any Error)? = state.withLock { state in
                if case .failure(let error) = state.end { return error }
                state.headWaiter = continuation
                return nil
            }
            if let ended { return continuation.resume(throwing: ended) }
            guard mailbox.post(.start(self)) else {
                finish(.failure(HTTPClientError.closed))
                return
            }
            startProducer()
        }
    }

    private func startProducer() {
        guard let upload, case .stream(let stream, let length) = request.body else { return }
        let producer = Task {
            do {
                let length = LengthCheck(length)
                try await stream.produce { chunk in
                    try length.add(chunk.count)
                    if try upload.add(chunk) { self.mailbox.post(.resume(self)) }
                    try await upload.waitForRoom()
                }
                try length.end()
                if try upload.complete() { mailbox.post(.resume(self)) }
            } catch {
                abort(error)
            }
        }
        let hasEnded = state.withLock { state in
            if state.end == nil { state.producer = producer }
            return state.end != nil
        }
        if hasEnded { producer.cancel() }
    }

    /// The next bytes of the body, nil at its end.
    func nextChunk() async throws -> [UInt8]? {
        if Task.isCancelled {
            abort(HTTPClientError.cancelled)
            throw HTTPClientError.cancelled
        }
        if let ready = takeReady() { return try ready.get() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (ready, mustResume) = state.withLock { state -> (Result<[UInt8]?, any Error>?, Bool) in
                    if let ready = state.takeBody() {
                        defer { state.isPaused = false }
                        return (ready, state.isPaused)
                    }
                    if state.bodyWaiter != nil {
                        return (.failure(HTTPClientError.invalidRequest("two readers of one body")), false)
                    }
                    state.bodyWaiter = continuation
                    return (nil, false)
                }
                if mustResume { mailbox.post(.resume(self)) }
                if let ready { continuation.resume(with: ready) }
            }
        } onCancel: {
            abort(HTTPClientError.cancelled)
        }
    }

    private func takeReady() -> Result<[UInt8]?, any Error>? {
        let (ready, mustResume) = state.withLock { state -> (Result<[UInt8]?, any Error>?, Bool) in
            guard let ready = state.takeBody() else { return (nil, false) }
            defer { state.isPaused = false }
            return (ready, state.isPaused)
        }
        if mustResume { mailbox.post(.resume(self)) }
        return ready
    }

    /// Ends the exchange from this side, at once for whoever waits; the curl thread tidies up when it gets to it.
    func abort(_ error: any Error) {
        if finish(.failure(error), discard: true) { mailbox.post(.drop(self)) }
    }

    // MARK: the curl thread's side

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Whether the exchange stands still because nobody reads the answer here.
    var isHeldBack: Bool { state.withLock { $0.isPaused } }

    func receive(_ head: ResponseHead) {
        state.withLock { $0.head = head }
    }

    /// Keeps the bytes for the reader; false, and keeps none, when it is too far behind.
    func receive(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        state.withLock { state in
            if state.end != nil { return true }  // aborted; the thread will hear of it
            if state.buffer.count >= Self.highWater {
                state.isPaused = true
                return false
            }
            state.buffer.append(contentsOf: bytes)
            return true
        }
    }

    /// Wakes whoever waits for what has come. Called after a whole round of reading, so that a small answer wakes its
    /// task once.
    func deliver() {
        let (headWaiter, head, bodyWaiter, chunk, mustResume) = state.withLock { state in
            var headWaiter: CheckedContinuation<ResponseHead, any Error>?
            var bodyWaiter: CheckedContinuation<[UInt8]?, any Error>?
            var chunk: [UInt8] = []
            var mustResume = false
            if state.head != nil { swap(&headWaiter, &state.headWaiter) }
            if state.bodyWaiter != nil, !state.buffer.isEmpty {
                swap(&bodyWaiter, &state.bodyWaiter)
                swap(&chunk, &state.buffer)
                swap(&mustResume, &state.isPaused)
            }
            return (headWaiter, state.head, bodyWaiter, chunk, mustResume)
        }
        if mustResume { mailbox.post(.resume(self)) }
        if let head { headWaiter?.resume(returning: head) }
        bodyWaiter?.resume(returning: chunk)
    }

    /// The first end counts. Returns whether this was it.
    /// - Parameter discard: throws away what nobody has read yet.
    @discardableResult
    func finish(_ end: Result<Void, any Error>, discard: Bool = false) -> Bool {
        struct Waiters {
            var head: CheckedContinuation<ResponseHead, any Error>?
            var body: CheckedContinuation<[UInt8]?, any Error>?
            var producer: Task<Void, Never>?
            var response: ResponseHead?
            var chunk: Result<[UInt8]?, any Error>?
        }
        let waiters = state.withLock { state -> Waiters? in
            guard state.end == nil else { return nil }
            state.end = end
            if discard { state.buffer = [] }
            var waiters = Waiters(response: state.head)
            swap(&waiters.head, &state.headWaiter)
            swap(&waiters.body, &state.bodyWaiter)
            swap(&waiters.producer, &state.producer)
            if waiters.body != nil { waiters.chunk = state.takeBody() }
            return waiters
        }
        guard let waiters else { return false }
        switch end {
        case .failure(let error):
            waiters.head?.resume(throwing: error)
            upload?.fail(error)
        case .success:
            if let response = waiters.response {
                waiters.head?.resume(returning: response)
            } else {
                waiters.head?.resume(throwing: HTTPClientError.transport(code: 0, text: "no answer", sent: true))
            }
            upload?.fail(HTTPClientError.closed)
        }
        if let chunk = waiters.chunk { waiters.body?.resume(with: chunk) }
        waiters.producer?.cancel()
        return true
    }
}
