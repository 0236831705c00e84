/// Why an event stream cannot be read on.
public enum ServerSentEventError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A line is longer than the limit.
    case lineTooLong(limit: Int)
    /// The data lines of one event are together longer than the limit.
    case eventTooLong(limit: Int)
    /// The answer is no event stream: not 200 or not `text/event-stream`.
    case notAnEventStream(status: Int, contentType: String?)

    /// One line for a log or a person.
    public var description: String {
        switch self {
        case .lineTooLong(let limit): "a line of the event stream is longer than \(limit) bytes"
        case .eventTooLong(let limit): "an event of the stream is longer than \(limit) bytes"
        case .notAnEventStream(let status, let type):
            "the server answered \(status) with \(type ?? "no content type") instead of an event stream"
        }
    }
}
