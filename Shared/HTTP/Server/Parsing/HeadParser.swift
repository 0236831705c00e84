package import HTTP

/// Incremental, strict parser of one request head (RFC 9112 §2 to §5). No I/O, no unsafe access: `Span` checks every index.
///
/// The caller hands in the same head from its first byte again, longer each time; the scan looks at no byte twice and
/// every line is checked as soon as it is whole. Stricter than the letter where leniency has been used to smuggle
/// requests: an empty line before the request line, a bare LF and a folded field are refused.
package struct HeadParser: Sendable {
    private let limits: Limits
    private var scanned = 0
    private var lineStart = 0
    private var requestLine: RequestLine?
    private var fields: [Headers.Field] = []
    private var control = ControlFields()

    package init(limits: Limits) { self.limits = limits }

    /// Whether a byte of this head has been seen.
    package var hasStarted: Bool { scanned > 0 }

    /// The first line, once it has been seen whole: for the log, when the rest turns out to be bad.
    var lineSeen: RequestLine? { requestLine }

    /// Makes ready for the next head.
    package mutating func reset() { self = HeadParser(limits: limits) }

    /// The head and its length in bytes; nil when more bytes are needed.
    package mutating func parse(_ bytes: borrowing Span<UInt8>) throws(HTTPError) -> (head: Head, used: Int)? {
        var index = scanned
        while index < bytes.count {
            let byte = bytes[index]
            if Chars.isFieldValue(byte) {
                index += 1
                continue
            }
            guard byte == Chars.carriageReturn else {
                try checkLength(index)
                throw HTTPError(400, byte == Chars.lineFeed ? "bare LF" : "control byte")
            }
            guard index + 1 < bytes.count else { break }
            try checkLength(index)
            guard bytes[index + 1] == Chars.lineFeed else { throw HTTPError(400, "bare CR") }
            let line = lineStart..<index
            index += 2
            lineStart = index
            guard let first = requestLine else {
                requestLine = try RequestLine(bytes, line)
                continue
            }
            if line.isEmpty { return (try finish(first, bytes, end: index), index) }
            try field(bytes, line)
        }
        scanned = index
        try checkLength(index)
        return nil
    }

    /// Asked before any other verdict on a line, so that the answer does not depend on how the bytes were cut.
    private func checkLength(_ index: Int) throws(HTTPError) {
        if requestLine == nil, index > limits.requestLine { throw HTTPError(414, "request line too long") }
        if index > limits.headBytes { throw HTTPError(431, "head too long") }
    }

    /// One field line. The name must be followed by its colon at once, which refuses "Name :" and folded lines too.
    private mutating func field(_ bytes: borrowing Span<UInt8>, _ line: Range<Int>) throws(HTTPError) {
        guard fields.count < limits.headerCount else { throw HTTPError(431, "too many fields") }
        var index = line.lowerBound
        while index < line.upperBound, Chars.isToken(bytes[index]) { index += 1 }
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == Chars.colon else { throw HTTPError(400, "field name") }
        let name = line.lowerBound..<index
        let value = bytes.trimmed(index + 1..<line.upperBound)
        if fields.isEmpty { fields.reserveCapacity(8) }
        fields.append(Headers.Field(name: name, value: value))
        try control.take(bytes, name: name, value: value)
    }

    private func finish(_ line: RequestLine, _ bytes: borrowing Span<UInt8>, end: Int) throws(HTTPError) -> Head {
        try control.checkHost(bytes, authority: line.authority, minorVersion: line.minorVersion)
        let framing = try control.framing(minorVersion: line.minorVersion, limit: limits.body)
        return Head(
            method: line.method, target: line.targetText(bytes), minorVersion: line.minorVersion,
            headers: Headers(bytes: bytes.array(0..<end), fields: fields), framing: framing,
            keepAlive: line.minorVersion == 1 && !control.saysClose,
            expectsContinue: control.expectsContinue && line.minorVersion == 1 && framing != .none && framing != .length(0))
    }
}
