internal import HTTP
internal import Synchronization
internal import Threads

/// A streamed body that ends in 413 beyond its limit, however it was framed.
final class BoundedBody: BodySource {
    // Unchecked: an iterator of `RequestBody` holds nothing but the body's own content, which is Sendable, and it is taken out of the
    // lock while it is in use, so that one thread at a time has it.
    private struct Reading: @unchecked Sendable {
        var iterator: RequestBody.AsyncIterator
    }

    private struct State {
        var reading: Reading?
        var left: Int
    }

    private let state: Lock<State>
    private let limit: Int

    init(_ body: RequestBody, limit: Int) {
        state = Lock(State(reading: Reading(iterator: body.makeAsyncIterator()), left: limit))
        self.limit = limit
    }

    func next() async throws -> [UInt8]? {
        // A body has one reader; a second would find it taken.
        guard var reading = state.withLock({ $0.reading.take() }) else { throw Disconnected() }
        let piece = try await reading.iterator.next()
        let back = reading
        let fits = state.withLock { state in
            state.left -= piece?.count ?? 0
            state.reading = back
            return state.left >= 0
        }
        guard fits else { throw Problem(.bodyTooLarge, "the body may have at most \(limit) bytes", field: "#") }
        return piece
    }
}
