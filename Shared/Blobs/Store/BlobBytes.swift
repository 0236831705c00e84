/// Where the bytes of one reading come from. Asked by one task at a time.
public protocol BlobSource: Sendable {
    /// The next piece, never empty; nil at the end.
    func next() async throws -> [UInt8]?
}

/// The bytes of a blob, in pieces. It can be read more than once: each iteration opens the source anew.
public struct BlobBytes: AsyncSequence, Sendable {
    /// Pieces.
    public typealias Element = [UInt8]
    /// Whatever the source throws, mostly a ``BlobError``.
    public typealias Failure = any Error

    let open: @Sendable () async throws -> any BlobSource

    /// Bytes from a source that `open` makes for every reading.
    public init(open: @escaping @Sendable () async throws -> any BlobSource) {
        self.open = open
    }

    /// Bytes that are asked for when a reading begins.
    public init(of bytes: @escaping @Sendable () async throws -> BlobBytes) {
        open = { try await bytes().open() }
    }

    /// Bytes at hand.
    public init(_ bytes: [UInt8]) {
        open = { OnePiece(bytes) }
    }

    /// Several sequences one after the other.
    public init(concatenating parts: [BlobBytes]) {
        open = { Concatenation(parts) }
    }

    /// Starts a reading.
    public func makeAsyncIterator() -> Iterator { Iterator(open: open) }

    /// One reading.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let open: @Sendable () async throws -> any BlobSource
        private var source: (any BlobSource)?

        fileprivate init(open: @escaping @Sendable () async throws -> any BlobSource) {
            self.open = open
        }

        /// The next piece, never empty; nil at the end.
        public mutating func next() async throws -> [UInt8]? {
            let source: any BlobSource
            if let opened = self.source { source = opened } else { source = try await open() }
            self.source = source
            return try await source.next()
        }
    }

    /// Everything at once.
    /// - Throws: ``BlobError/tooLarge(what:limit:)`` when there are more than `limit` bytes.
    public func collect(upTo limit: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await piece in self {
            guard all.count + piece.count <= limit else { throw BlobError.tooLarge(what: "the blob", limit: limit) }
            all += piece
        }
        return all
    }
}

private actor OnePiece: BlobSource {
    private var rest: [UInt8]?

    init(_ bytes: [UInt8]) { rest = bytes.isEmpty ? nil : bytes }

    func next() -> [UInt8]? {
        defer { rest = nil }
        return rest
    }
}

private actor Concatenation: BlobSource {
    private var parts: ArraySlice<BlobBytes>
    private var current: (any BlobSource)?

    init(_ parts: [BlobBytes]) { self.parts = parts[...] }

    func next() async throws -> [UInt8]? {
        while true {
            if let current, let piece = try await current.next() { return piece }
            guard let following = parts.popFirst() else { return nil }
            current = try await following.open()
        }
    }
}
