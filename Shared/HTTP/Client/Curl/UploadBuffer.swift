internal import Synchronization
internal import Threads

/// Where a body's producer and the curl thread meet: the producer waits while more than `highWater` bytes wait to be
/// sent, curl pauses while there is nothing to send.
final class UploadBuffer: Sendable {
    enum Piece {
        case bytes(Int)
        case end
        /// Nothing yet; the producer says when there is.
        case wait
    }

    private struct State {
        var bytes: [UInt8] = []
        var offset = 0
        var sent = 0
        var isComplete = false
        var isStarved = false
        var failure: (any Error)?
        var writer: CheckedContinuation<Void, any Error>?

        var hasRoom: Bool {
            get throws {
                if let failure { throw failure }
                return bytes.count - offset < UploadBuffer.highWater
            }
        }
    }

    static let highWater = 256 << 10

    private let state = Lock(State())

    /// Whether curl waits for the producer: silence is then not the peer's.
    var isStarved: Bool { state.withLock { $0.isStarved } }

    /// How many bytes curl has taken.
    var sent: Int { state.withLock { $0.sent } }

    // MARK: the producer's side

    /// Takes a chunk. Returns whether curl waits for it and must be told.
    func add(_ chunk: [UInt8]) throws -> Bool {
        try state.withLock { state -> Bool in
            if let failure = state.failure { throw failure }
            if state.offset == state.bytes.count {
                state.bytes = chunk
                state.offset = 0
            } else {
                state.bytes += chunk
            }
            defer { state.isStarved = state.isStarved && chunk.isEmpty }
            return state.isStarved && !chunk.isEmpty
        }
    }

    /// Returns when there is room for another chunk.
    func waitForRoom() async throws {
        if try state.withLock({ state in try state.hasRoom }) { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let outcome: Result<Void, any Error>? = state.withLock { state in
                do {
                    if try state.hasRoom { return .success(()) }
                } catch {
                    return .failure(error)
                }
                if state.writer != nil { return .failure(HTTPClientError.invalidRequest("two writers of one body")) }
                state.writer = continuation
                return nil
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }

    /// The producer is done. Returns whether curl waits for that and must be told.
    func complete() throws -> Bool {
        try state.withLock { state -> Bool in
            if let failure = state.failure { throw failure }
            state.isComplete = true
            defer { state.isStarved = false }
            return state.isStarved
        }
    }

    // MARK: the exchange's side

    func read(into target: UnsafeMutableRawBufferPointer) -> Piece {
        let (piece, writer) = state.withLock { state -> (Piece, CheckedContinuation<Void, any Error>?) in
            let count = min(target.count, state.bytes.count - state.offset)
            guard count > 0 else {
                state.isStarved = !state.isComplete
                return (state.isComplete ? .end : .wait, nil)
            }
            state.bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[state.offset..<state.offset + count]))
            }
            state.offset += count
            state.sent += count
            if state.offset == state.bytes.count {
                state.bytes = []
                state.offset = 0
            }
            guard state.bytes.count - state.offset < Self.highWater / 2 else { return (.bytes(count), nil) }
            defer { state.writer = nil }
            return (.bytes(count), state.writer)
        }
        writer?.resume()
        return piece
    }

    /// The exchange has ended: the producer's writes fail from now on.
    func fail(_ error: any Error) {
        let writer = state.withLock { state in
            state.failure = error
            state.bytes = []
            state.offset = 0
            defer { state.writer = nil }
            return state.writer
        }
        writer?.resume(throwing: error)
    }
}
