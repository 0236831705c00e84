/// What a request carries.
public enum ClientBody: Sendable {
    /// A body at hand; sent with Content-Length. Empty means no body.
    case bytes([UInt8])
    /// A body made while it is sent. With a length it goes out under Content-Length and must have exactly that many
    /// bytes; without one it goes out chunked. Over the network it costs a connection, see `CurlTransport`.
    case stream(ClientBodyStream, length: Int?)

    /// No body.
    public static var empty: ClientBody { .bytes([]) }

    /// A body from a sequence of chunks. The sequence is asked for its next chunk only as the peer takes the earlier
    /// ones, and its task is cancelled when the exchange ends first.
    public static func stream<Chunks: AsyncSequence & Sendable>(_ chunks: Chunks, length: Int? = nil) -> ClientBody
    where Chunks.Element == [UInt8] {
        .stream(ClientBodyStream(chunks), length: length)
    }

    var isEmpty: Bool {
        if case .bytes(let bytes) = self { bytes.isEmpty } else { false }
    }
}

/// A producer of body bytes: it writes chunks one after the other, and each write suspends while the peer is behind.
public struct ClientBodyStream: Sendable {
    /// Takes one chunk. Throws once the exchange has ended; the producer should then return.
    public typealias Write = @Sendable ([UInt8]) async throws -> Void

    let produce: @Sendable (Write) async throws -> Void

    /// A body that `produce` writes; it ends when `produce` returns and the exchange fails with what `produce` throws.
    public init(produce: @escaping @Sendable (Write) async throws -> Void) {
        self.produce = produce
    }

    /// A body that is a sequence of chunks.
    public init<Chunks: AsyncSequence & Sendable>(_ chunks: Chunks) where Chunks.Element == [UInt8] {
        produce = { write in
            for try await chunk in chunks { try await write(chunk) }
        }
    }
}
