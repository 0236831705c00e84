internal import Crypto
internal import HTTP
internal import Telemetry

/// The ids that follow a request through logs, events and other services.
enum RequestID {
    /// Most bytes of an id that a caller chooses.
    static let maximumLength = 128

    /// The caller's `X-Request-Id` when it is one harmless word, else a new one: 128 random bits in hexadecimal.
    static func of(_ headers: Headers) -> String {
        let given = headers.all("X-Request-Id")
        if given.count == 1, let id = given.first, isSane(id) { return id }
        return Hex.encode(Random.bytes(16))
    }

    /// The caller's trace as seen from a span of ours, or a new trace. What cannot be read is dropped, as the recommendation says (§3.2.2.3).
    static func trace(_ headers: Headers) -> TraceContext {
        let given = headers.all("traceparent")
        if given.count == 1, let text = given.first, let trace = TraceContext(traceparent: text) {
            return trace.child(span: Random.uint64())
        }
        return fresh()
    }

    private static func fresh() -> TraceContext {
        TraceContext(high: Random.uint64(), low: Random.uint64(), span: Random.uint64())
    }

    private static func isSane(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= maximumLength
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"):
                    true
                default: false
                }
            }
    }
}
