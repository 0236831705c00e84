internal import HTTP

/// The body's end of a transfer: when nobody holds it any longer, the exchange is given up.
final class CurlBody: BodySource {
    private let transfer: CurlTransfer
    // A body that is still read keeps its transport going.
    private let transport: CurlTransport

    init(_ transfer: CurlTransfer, _ transport: CurlTransport) {
        self.transfer = transfer
        self.transport = transport
    }

    deinit { transfer.abort(HTTPClientError.cancelled) }

    func next() async throws -> [UInt8]? { try await transfer.nextChunk() }
}
