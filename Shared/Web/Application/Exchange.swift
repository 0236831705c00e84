internal import HTTP
internal import Identity
internal import Telemetry

/// What is known of one request while it is answered.
struct Exchange: Sendable {
    let start = ContinuousClock.now
    let id: String
    let trace: TraceContext
    let method: String
    let path: Substring
    let peer: Peer?
    let host: String?
    var route: Int?
    var caller: Caller?

    init(_ request: Request) {
        id = RequestID.of(request.headers)
        trace = RequestID.trace(request.headers)
        method = request.method
        path = request.path
        peer = request.peer
        host = request.headers["Host"]
    }

    func logger(_ log: Logger) -> Logger { log.with(["request": .string(id), "trace": .string(trace.traceID)]) }
}
