internal import HTTP
internal import JSON
internal import Web

/// A stream of A2A as server-sent events, one JSON value each.
enum A2AStream {
    /// - Parameter dress: makes of each event what the binding sends.
    static func response(
        _ events: AsyncThrowingStream<JSONValue, any Error>, _ dress: @escaping @Sendable (JSONValue) -> JSONValue
    ) -> Response {
        SSE.response(events.map { ServerSentEvent(data: String(decoding: JSON.write(dress($0)), as: UTF8.self)) })
    }
}
