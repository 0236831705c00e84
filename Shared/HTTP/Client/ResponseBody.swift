public import HTTP

/// A body's bytes as they arrive, in chunks of no particular size. The sender is held back while nobody reads.
///
/// The bytes come once: a second iterator goes on where the first stopped. One task at a time may wait for them.
/// Dropping the last copy of the body and its iterators before the end cancels the exchange.
public struct ResponseBody: AsyncSequence, Sendable {
    /// A chunk, never empty.
    public typealias Element = [UInt8]
    /// `HTTPClientError` from our own transports.
    public typealias Failure = any Error

    private let source: any BodySource

    /// A body that comes from `source`. The last copy of the body and its iterators to go lets go of the source, whose
    /// `deinit` gives the exchange up.
    public init(source: any BodySource) {
        self.source = source
    }

    /// A body at hand.
    public init(_ bytes: [UInt8] = []) {
        source = BufferedBody(bytes)
    }

    /// Starts, or goes on, reading.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }

    /// Reads a body.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let source: any BodySource

        /// The next chunk, or nil at the end.
        /// - Throws: what broke the exchange, after the bytes that came before; `HTTPClientError.cancelled` when the
        ///   task is cancelled, which ends the exchange.
        public mutating func next() async throws -> [UInt8]? { try await source.next() }

        /// The next chunk, or nil at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            try await source.next()
        }
    }

    /// The whole rest of the body.
    /// - Throws: `HTTPClientError.bodyTooLarge` when it is longer than `limit` bytes, and what `next` throws.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var iterator = makeAsyncIterator()
        guard var bytes = try await iterator.next() else { return [] }
        guard bytes.count <= limit else { throw HTTPClientError.bodyTooLarge(limit: limit) }
        while let chunk = try await iterator.next() {
            guard bytes.count + chunk.count <= limit else { throw HTTPClientError.bodyTooLarge(limit: limit) }
            bytes += chunk
        }
        return bytes
    }
}
