/// The trace that a request belongs to: W3C Trace Context, `traceparent` (Recommendation of 2021-11-23, §3.2).
public struct TraceContext: Sendable, Hashable {
    /// 16 bytes, never all zero.
    public let traceHigh: UInt64
    /// The low half of the trace id.
    public let traceLow: UInt64
    /// The caller's span, 8 bytes, never zero.
    public let span: UInt64
    /// Trace flags; bit 0 is "sampled".
    public let flags: UInt8

    /// Reads a `traceparent` value. Strict: lower-case hex, exact lengths, no zero ids, version `ff` refused. A version later
    /// than `00` is read as the recommendation says: the same first four fields, then nothing or a dash and more.
    public init?(traceparent: String) {
        let bytes = Array(traceparent.utf8.prefix(513))
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes.count <= 512, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Hex.value(bytes[0..<2]), version != 0xff,
            bytes.count == 55 || (version > 0 && bytes[55] == dash),
            let high = Hex.value(bytes[3..<19]), let low = Hex.value(bytes[19..<35]), high | low != 0,
            let span = Hex.value(bytes[36..<52]), span != 0, let flags = Hex.value(bytes[53..<55])
        else { return nil }
        traceHigh = high
        traceLow = low
        self.span = span
        // Of a later version only the flag known today may be passed on.
        self.flags = version == 0 ? UInt8(flags) : UInt8(flags) & 1
    }

    /// A new trace of random bits. Zero ids are nudged to 1.
    public init(high: UInt64, low: UInt64, span: UInt64) {
        self.init(traceHigh: high, traceLow: high | low == 0 ? 1 : low, span: max(1, span), flags: 1)
    }

    private init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, flags: UInt8) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.flags = flags
    }

    /// The same trace, seen from a span of ours; what goes out with calls made on behalf of the request.
    /// - Parameter span: random bits; zero is nudged to 1.
    public func child(span: UInt64) -> TraceContext {
        TraceContext(traceHigh: traceHigh, traceLow: traceLow, span: max(1, span), flags: flags)
    }

    /// The trace id, 32 lower-case hex digits: the `correlation` of events.
    public var traceID: String { Hex.text(traceHigh) + Hex.text(traceLow) }
    /// The span id, 16 lower-case hex digits.
    public var spanID: String { Hex.text(span) }
    /// The header's value, version `00`.
    public var traceparent: String { "00-\(traceID)-\(spanID)-\(Hex.text(UInt64(flags)).suffix(2))" }
}

/// Lower-case hexadecimal of at most 64 bits.
enum Hex {
    static func value(_ digits: some Sequence<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    static func text(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
