/// Where the pieces of a body come from.
public protocol BodySource: Sendable {
    /// The next piece, never empty; nil at the end. Waits until one is there.
    /// - Throws: `Disconnected` when the rest will never come, `CancellationError` when the reading task is cancelled.
    func next() async throws -> [UInt8]?
}

/// A body as it comes in, piece by piece. It has one reader; while that does not read, the sender is held back.
public struct RequestBody: AsyncSequence, Sendable {
    fileprivate enum Content: Sendable {
        case bytes([UInt8])
        case source(any BodySource)
    }

    private let content: Content

    /// A body that is already here.
    public init(_ bytes: [UInt8]) { content = .bytes(bytes) }

    /// A body that comes from elsewhere.
    public init(source: any BodySource) { content = .source(source) }

    /// Reads piece by piece.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private var content: Content

        fileprivate init(_ content: Content) { self.content = content }

        /// The next piece, nil at the end.
        public mutating func next() async throws -> [UInt8]? {
            switch content {
            case .bytes(let bytes):
                content = .bytes([])
                return bytes.isEmpty ? nil : bytes
            case .source(let source):
                return try await source.next()
            }
        }
    }

    /// Starts to read.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(content) }

    /// The whole body.
    /// - Parameter limit: the most bytes to accept.
    /// - Throws: `HTTPError` 413 when the body is longer, and what the source throws.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in self {
            guard piece.count <= limit - all.count else { throw HTTPError(413, "the body is longer than \(limit) bytes") }
            if all.isEmpty { all = piece } else { all += piece }
        }
        return all
    }
}
