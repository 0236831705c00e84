internal import AdapterRouter
internal import Threads
internal import Synchronization

/// Pieces of an answer on their way from the server's stream to the caller's, one at a time as they are asked for. Says once how it
/// ended: when the stream does, or when nobody holds it any more.
final class PieceRelay: Sendable {
    // Unchecked: the iterator is taken out of the lock while it is in use, so that one task at a time has it.
    private struct Reading: @unchecked Sendable {
        var iterator: AsyncThrowingStream<BackendEvent, any Error>.Iterator
    }

    private struct State {
        var first: BackendEvent?
        var reading: Reading?
        var end: (@Sendable (RouterOutcome) -> Void)?
    }

    private let state: Lock<State>

    init(_ stream: AsyncThrowingStream<BackendEvent, any Error>) {
        state = Lock(State(reading: Reading(iterator: stream.makeAsyncIterator())))
    }

    deinit { finish(.ended) }

    /// Waits for the first piece; false when the stream ended without one.
    func hasBegun() async throws -> Bool {
        guard var reading = state.withLock({ $0.reading.take() }) else { return false }
        let piece = try await reading.iterator.next()
        let back = reading
        state.withLock { state in
            state.reading = back
            state.first = piece
        }
        return piece != nil
    }

    /// Whom to tell how it ended, from here on.
    func whenOver(_ end: @escaping @Sendable (RouterOutcome) -> Void) { state.withLock { $0.end = end } }

    func next() async throws -> BackendEvent? {
        if let first = state.withLock({ $0.first.take() }) { return first }
        guard var reading = state.withLock({ $0.reading.take() }) else { return nil }
        do {
            let piece = try await reading.iterator.next()
            let back = reading
            state.withLock { $0.reading = back }
            if piece == nil { finish(Task.isCancelled ? .ended : .served) }
            return piece
        } catch {
            finish(Task.isCancelled ? .ended : .broke)
            throw error
        }
    }

    private func finish(_ outcome: RouterOutcome) { state.withLock { $0.end.take() }?(outcome) }
}
