internal import HTTP
internal import Synchronization
internal import Threads

/// A body on its way from one task to another: the writer waits while more than `highWater` bytes lie unread.
final class BodyChannel: BodySink, BodySource {
    private struct State {
        var buffer: [UInt8] = []
        var total = 0
        var end: Result<Void, any Error>?
        var isAbandoned = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var writer: CheckedContinuation<Void, any Error>?

        /// What a reader gets without waiting; nil when it must wait.
        mutating func take() -> Result<[UInt8]?, any Error>? {
            if !buffer.isEmpty {
                defer { buffer = [] }
                return .success(buffer)
            }
            return end.map { end in end.map { nil } }
        }
    }

    static let highWater = 256 << 10

    private let limit: Int
    private let state = Lock(State())

    /// - Parameter limit: more bytes than this break the body off.
    init(limit: Int = .max) {
        self.limit = limit
    }

    // MARK: the writer's side

    func write(_ bytes: [UInt8]) async throws {
        if Task.isCancelled { throw CancellationError() }
        if bytes.isEmpty { return }
        guard try add(bytes) else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if state.isAbandoned || state.end != nil { return .failure(Disconnected()) }
                    if state.buffer.count < Self.highWater { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.writer != nil { return .failure(HTTPClientError.invalidRequest("two writers of one body")) }
                    state.writer = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            takeWriter()?.resume(throwing: CancellationError())
        }
    }

    /// Whether the writer must wait for the reader.
    private func add(_ bytes: [UInt8]) throws -> Bool {
        let (reader, mustWait, isTooLarge) = try state.withLock { state in
            if state.isAbandoned || state.end != nil { throw Disconnected() }
            guard bytes.count <= limit - state.total else { return (nil as CheckedContinuation<[UInt8]?, any Error>?, false, true) }
            state.total += bytes.count
            if let reader = state.reader {
                state.reader = nil
                return (reader, false, false)
            }
            if state.buffer.isEmpty { state.buffer = bytes } else { state.buffer += bytes }
            return (nil, state.buffer.count >= Self.highWater, false)
        }
        if isTooLarge {
            finish(.failure(HTTPClientError.bodyTooLarge(limit: limit)))
            throw Disconnected()
        }
        reader?.resume(returning: bytes)
        return mustWait
    }

    private func takeWriter() -> CheckedContinuation<Void, any Error>? {
        state.withLock { state in
            defer { state.writer = nil }
            return state.writer
        }
    }

    /// Nothing more comes. The first end counts.
    func finish(_ end: Result<Void, any Error>) {
        let (reader, writer) = state.withLock { state in
            if state.end == nil { state.end = end }
            defer {
                state.reader = nil
                state.writer = nil
            }
            return (state.reader, state.writer)
        }
        writer?.resume(throwing: Disconnected())
        reader?.resume(with: end.map { nil })
    }

    // MARK: the reader's side

    func next() async throws -> [UInt8]? {
        if Task.isCancelled { throw CancellationError() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (ready, writer) = state.withLock {
                    state -> (Result<[UInt8]?, any Error>?, CheckedContinuation<Void, any Error>?) in
                    if let ready = state.take() {
                        defer { state.writer = nil }
                        return (ready, state.writer)
                    }
                    if Task.isCancelled { return (.failure(CancellationError()), nil) }
                    if state.reader != nil {
                        return (.failure(HTTPClientError.invalidRequest("two readers of one body")), nil)
                    }
                    state.reader = continuation
                    return (nil, nil)
                }
                writer?.resume()
                if let ready { continuation.resume(with: ready) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }

    /// Nobody reads any longer: the writer sees `Disconnected`.
    func abandon() {
        let writer = state.withLock { state in
            state.isAbandoned = true
            state.buffer = []
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume(throwing: Disconnected())
    }
}
