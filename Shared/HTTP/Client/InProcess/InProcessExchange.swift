internal import HTTP
internal import Synchronization
internal import Threads

/// One request to a handler in this process, and its answer.
final class InProcessExchange: Sendable {
    private struct State {
        var waiter: CheckedContinuation<ClientResponse, any Error>?
        var hasAnswered = false
        var end: (any Error)?
        var isServed = false
        var handler: Task<Void, Never>?
        var producer: Task<Void, Never>?
    }

    private let request: ClientRequest
    private let answer: BodyChannel
    private let upload = BodyChannel()
    private let deadlines: Deadlines
    private let state = Lock(State())

    init(_ request: ClientRequest, _ deadlines: Deadlines) {
        self.request = request
        self.deadlines = deadlines
        answer = BodyChannel(limit: request.maximumBodyBytes)
    }

    /// Runs the handler and waits for the head of its reply.
    func run(_ handler: @escaping Handler) async throws -> ClientResponse {
        try await withCheckedThrowingContinuation { continuation in
            let ended: (any Error)? = state.withLock { state in
                if state.end == nil { state.waiter = continuation }
                return state.end
            }
            if let ended { return continuation.resume(throwing: ended) }
            if let timeout = request.timeout { deadlines.add(self, after: timeout) }
            // Detached: what the caller's task carries would not cross a socket either.
            let task = Task.detached { await self.serve(handler) }
            let producer = makeProducer()
            let hasEnded = state.withLock { state in
                state.handler = task
                state.producer = producer
                return state.end != nil || state.isServed
            }
            if hasEnded {
                task.cancel()
                producer?.cancel()
            }
        }
    }

    private func makeProducer() -> Task<Void, Never>? {
        guard case .stream(let stream, let length) = request.body else { return nil }
        return Task { [upload] in
            do {
                let length = LengthCheck(length)
                try await stream.produce { chunk in
                    try length.add(chunk.count)
                    try await upload.write(chunk)
                }
                try length.end()
                upload.finish(.success(()))
            } catch {
                // Once the handler is done, a body that nobody reads is no failure. Else this comes first, or the
                // handler's answer to a broken body might win.
                if !state.withLock({ $0.isServed }) { abort(error) }
                upload.finish(.failure(Disconnected()))
            }
        }
    }

    private func serve(_ handler: Handler) async {
        do {
            let reply = try await handler(request.inProcess(body: upload))
            try await send(reply)
            answer.finish(.success(()))
        } catch {
            fail(error)
        }
        release()
    }

    private func send(_ reply: Response) async throws {
        let isHead = request.method == "HEAD"
        switch reply.body {
        case .bytes(let bytes):
            guard isHead || bytes.count <= request.maximumBodyBytes else {
                return abort(HTTPClientError.bodyTooLarge(limit: request.maximumBodyBytes))
            }
            var headers = reply.headers
            if reply.status != 204 && reply.status != 304 { headers.set("Content-Length", String(bytes.count)) }
            respond(ClientResponse(status: reply.status, headers: headers, body: ResponseBody(isHead ? [] : bytes)))
        case .stream(let write):
            respond(status: reply.status, headers: reply.headers, isHead: isHead)
            if !isHead { try await write(BodyWriter(sink: answer)) }
        }
    }

    // In a frame of its own: the body must be the caller's alone, or its dropping would go unseen here.
    private func respond(status: Int, headers: Headers, isHead: Bool) {
        let body = isHead ? ResponseBody() : ResponseBody(source: InProcessBody(self, answer))
        respond(ClientResponse(status: status, headers: headers, body: body))
    }

    private func respond(_ response: ClientResponse) {
        let waiter = state.withLock { state in
            state.hasAnswered = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: response)
    }

    /// What the handler threw: an answer while there is none yet, a body cut short after that.
    private func fail(_ error: any Error) {
        if state.withLock({ $0.hasAnswered }) {
            let text = "the handler broke its reply off"
            answer.finish(.failure(HTTPClientError.transport(code: 0, text: text, sent: true)))
        } else if let error = error as? HTTPError {
            respond(.problem(status: error.status, detail: error.reason))
        } else {
            // What went wrong inside is not the caller's to read.
            respond(.problem(status: 500, detail: ""))
        }
    }

    /// The handler is done: nobody reads the request any longer.
    private func release() {
        deadlines.remove(self)
        let producer = state.withLock { state in
            state.isServed = true
            state.handler = nil
            defer { state.producer = nil }
            return state.producer
        }
        upload.abandon()
        producer?.cancel()
    }

    func timeOut() {
        let server = URLParts(request.url)?.origin ?? ""
        abort(HTTPClientError.timedOut(.whole, server: server, sent: true))
    }

    /// Ends the exchange from the caller's side. The first end counts.
    func abort(_ error: any Error) {
        let (waiter, handler, producer) = state.withLock { state in
            if state.end == nil { state.end = error }
            defer {
                state.waiter = nil
                state.producer = nil
            }
            return (state.waiter, state.handler, state.producer)
        }
        deadlines.remove(self)
        answer.finish(.failure(error))
        answer.abandon()
        waiter?.resume(throwing: error)
        handler?.cancel()
        producer?.cancel()
    }
}
