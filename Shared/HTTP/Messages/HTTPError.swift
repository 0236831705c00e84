/// An error with a status of its own: what a handler throws to answer with that status, and what the parser throws at
/// a bad message.
public struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The status code, 400 to 599.
    public let status: Int
    /// What is wrong, in words for whoever sent the request. It is sent to the client: put no secret in it.
    public let reason: String

    /// Makes an error.
    public init(_ status: Int, _ reason: String = "") {
        self.status = status
        self.reason = reason
    }

    /// "400 two Hosts".
    public var description: String { reason.isEmpty ? "\(status)" : "\(status) \(reason)" }
}

/// The other side has gone, or is being dropped. Thrown by a body that can no longer be read and by a writer nobody reads.
public struct Disconnected: Error, Sendable, Hashable, CustomStringConvertible {
    /// Makes the error.
    public init() {}

    /// In words.
    public var description: String { "the client has gone" }
}
