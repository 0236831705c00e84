internal import HTTP
internal import Synchronization
internal import Threads

/// A streamed body that ends in 413 beyond its limit, however it was framed.
final class BoundedBody: BodySource {
    private struct State {
        var iterator: RequestBody.AsyncIterator?
        var left: Int
    }

    private let state: Lock<State>
    private let limit: Int

    init(_ body: RequestBody, limit: Int) {
        state = Lock(State(iterator: body.makeAsyncIterator(), left: limit))
        self.limit = limit
    }

    func next() async throws -> [UInt8]? {
        // A body has one reader, so the iterator is taken out while it waits.
        guard var iterator = state.withLock({ $0.iterator.take() }) else { throw Disconnected() }
        guard let piece = try await iterator.next() else { return nil }
        let fits = state.withLock { state in
            state.left -= piece.count
            state.iterator = iterator
            return state.left >= 0
        }
        guard fits else { throw Problem(.bodyTooLarge, "the body may have at most \(limit) bytes", field: "#") }
        return piece
    }
}
