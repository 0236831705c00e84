/// Where the pieces of a streamed reply go.
public protocol BodySink: Sendable {
    /// Takes a piece and returns when there is room for more.
    /// - Throws: `Disconnected` when nobody reads any longer, `CancellationError` when the writing task is cancelled.
    func write(_ bytes: [UInt8]) async throws
}

/// Writes a streamed reply.
public struct BodyWriter: Sendable {
    private let sink: any BodySink

    /// Writes into `sink`.
    public init(sink: any BodySink) { self.sink = sink }

    /// Sends a piece; returns when there is room for more, so that a slow reader slows its writer.
    /// - Throws: `Disconnected` when the client has gone.
    public func write(_ bytes: [UInt8]) async throws { try await sink.write(bytes) }

    /// Sends text as UTF-8.
    public func write(_ text: String) async throws { try await sink.write(Array(text.utf8)) }
}
