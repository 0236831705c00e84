internal import Blobs
internal import Crypto
internal import HTTP

/// A body as it comes, which ends in an error where it has another hash than it is said to have. It has one reader at a time.
actor HashingSource: BlobSource {
    private var body: RequestBody.AsyncIterator
    private let hasher = SHA256Hasher()
    private let expected: Digest
    private var isOver = false

    init(_ body: RequestBody, expected: Digest) {
        self.body = body.makeAsyncIterator()
        self.expected = expected
    }

    func next() async throws -> [UInt8]? {
        if isOver { return nil }
        var reading = body
        let piece = try await reading.next(isolation: self)
        body = reading
        if let piece {
            hasher.update(piece)
            return piece
        }
        isOver = true
        let actual = hasher.finish()
        guard actual == expected else { throw ArtefactError.wrongHash(expected: expected, actual: actual) }
        return nil
    }

    /// Reads what nobody has read.
    func drain() async throws { while try await next() != nil {} }
}
