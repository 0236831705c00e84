internal import HTTP

/// One request and its reply, owned by its connection's loop.
final class Exchange {
    let key: Key
    let method: String
    let target: String
    let peer: Peer
    let minorVersion: Int
    let keepAlive: Bool
    let began: UInt64
    var task: HandlerTask?

    var decoder: BodyDecoder
    var stream: BodyStream?
    var inputDone = false
    /// The handler does not read its body fast enough.
    var isPaused = false
    /// The client waits to be asked for the body.
    var owesContinue = false
    var bytesReceived = 0

    var writer: ReplyStream?
    var status = 0
    var isChunked = false
    var responseDone = false
    var mustClose = false
    /// Payload bytes taken from the writer and not yet given back to it as room.
    var taken = 0
    var bytesSent = 0
    /// Since when only the handler can move things on.
    var handlerSince: UInt64
    /// How long the handler may take when that is longer than usual, once it was asked for.
    var patience: UInt64 = 0
    var hasAskedForPatience = false
    /// What the handler's error said, for the log.
    var failure: String?

    var headSent: Bool { status != 0 }
    var isHead: Bool { method == "HEAD" }
    /// Whether the next move is the handler's, and no reply has come from it.
    var waitsForHandler: Bool { !headSent && (inputDone || isPaused || owesContinue) }

    init(key: Key, head: Head, peer: Peer, keepAlive: Bool, limits: Limits, now: UInt64) {
        self.key = key
        method = head.method
        target = head.target
        self.peer = peer
        minorVersion = head.minorVersion
        self.keepAlive = keepAlive
        began = now
        handlerSince = now
        decoder = BodyDecoder(head.framing, limits: limits)
    }

    /// What the access log says of it.
    func record(now: UInt64, reason: String?) -> ExchangeRecord {
        ExchangeRecord(
            method: method, target: target, status: status, bytesReceived: bytesReceived, bytesSent: bytesSent,
            duration: .nanoseconds(Int64(clamping: now - began)), peer: peer, reason: reason ?? failure)
    }
}
