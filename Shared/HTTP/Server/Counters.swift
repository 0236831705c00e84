/// What a server has done since its start, read without stopping it. All but the two `open` ones only grow.
public struct Counters: Sendable, Equatable {
    /// Connections that are open.
    public internal(set) var openConnections = 0
    /// Handlers that run, among them those that were cancelled and have not returned.
    public internal(set) var openHandlers = 0
    /// Connections accepted.
    public internal(set) var connections = 0
    /// Connections closed at once since their peer held too many.
    public internal(set) var connectionsRefused = 0
    /// Requests given to the handler.
    public internal(set) var requests = 0
    /// Requests refused before the handler saw them, or while their body came: malformed, too long, too slow, too many.
    public internal(set) var requestsRefused = 0
    /// Replies by the first digit of their status: index 2 for 2xx, up to 5.
    public internal(set) var replies = [0, 0, 0, 0, 0, 0]
    /// Handlers cancelled since the client had gone.
    public internal(set) var clientsGone = 0
    /// Handlers cancelled since they took too long.
    public internal(set) var handlersTooSlow = 0
    /// Connections reset since the client did not read its reply.
    public internal(set) var repliesUnread = 0
    /// Bytes received, heads included.
    public internal(set) var bytesReceived = 0
    /// Bytes sent, heads included.
    public internal(set) var bytesSent = 0
}
