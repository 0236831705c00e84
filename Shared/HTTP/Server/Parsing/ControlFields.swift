internal import HTTP

/// The fields that say how a request is delimited and what becomes of the connection. Each may be wrong in one way only
/// once: whatever two parties could read differently is refused.
struct ControlFields: Sendable {
    private(set) var host: Range<Int>?
    private(set) var length: Int?
    private(set) var isChunked = false
    private(set) var saysClose = false
    private(set) var expectsContinue = false

    /// Looks at one field. Names are told apart by their length first, so that most cost one comparison.
    mutating func take(_ bytes: borrowing Span<UInt8>, name: Range<Int>, value: Range<Int>) throws(HTTPError) {
        switch name.count {
        case 4 where bytes.isWord(name, "host"):
            guard host == nil else { throw HTTPError(400, "two Hosts") }
            try Self.checkHost(bytes, value)
            host = value
        case 6 where bytes.isWord(name, "expect"):
            guard bytes.isWord(value, "100-continue") else { throw HTTPError(417, "expectation") }
            expectsContinue = true
        case 10 where bytes.isWord(name, "connection"):
            try connection(bytes, value)
        case 14 where bytes.isWord(name, "content-length"):
            guard length == nil else { throw HTTPError(400, "two Content-Lengths") }
            length = try Self.number(bytes, value)
        case 17 where bytes.isWord(name, "transfer-encoding"):
            guard !isChunked else { throw HTTPError(400, "two Transfer-Encodings") }
            guard bytes.isWord(value, "chunked") else { throw HTTPError(501, "transfer coding") }
            isChunked = true
        default: break
        }
    }

    /// The framing they ask for (RFC 9112 §6.3).
    func framing(minorVersion: Int, limit: Int) throws(HTTPError) -> Framing {
        if isChunked {
            guard minorVersion == 1 else { throw HTTPError(400, "chunked in HTTP/1.0") }
            guard length == nil else { throw HTTPError(400, "chunked and Content-Length") }
            return .chunked
        }
        guard let length else { return .none }
        guard length <= limit else { throw HTTPError(413, "body too long") }
        return .length(length)
    }

    /// The Host is needed in HTTP/1.1, and where the target has an authority they must agree: RFC 9112 §3.2.2 would
    /// have the field ignored, but a proxy before us may have routed by it.
    func checkHost(_ bytes: borrowing Span<UInt8>, authority: Range<Int>?, minorVersion: Int) throws(HTTPError) {
        if host == nil, minorVersion == 1 { throw HTTPError(400, "no Host") }
        guard let authority else { return }
        guard let host, host.count == authority.count else { throw HTTPError(400, "Host differs from target") }
        for offset in 0..<host.count
        where Chars.lower(bytes[host.lowerBound + offset]) != Chars.lower(bytes[authority.lowerBound + offset]) {
            throw HTTPError(400, "Host differs from target")
        }
    }

    /// A list of tokens; only "close" matters, since HTTP/1.1 keeps alive by itself and HTTP/1.0 clients are let go.
    private mutating func connection(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HTTPError) {
        var start = value.lowerBound
        while start < value.upperBound {
            var end = start
            while end < value.upperBound, bytes[end] != Chars.comma { end += 1 }
            let option = bytes.trimmed(start..<end)
            for index in option where !Chars.isToken(bytes[index]) { throw HTTPError(400, "Connection") }
            if bytes.isWord(option, "close") { saysClose = true }
            start = end + 1
        }
    }

    /// Digits only, no sign, no list. Eighteen of them cannot overflow an `Int`.
    private static func number(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HTTPError) -> Int {
        guard !value.isEmpty, value.count <= 18 else { throw HTTPError(400, "Content-Length") }
        var number = 0
        for index in value {
            guard Chars.isDigit(bytes[index]) else { throw HTTPError(400, "Content-Length") }
            number = number * 10 + Int(bytes[index] - 48)
        }
        return number
    }

    /// uri-host [ ":" port ] (RFC 9110 §7.2); a name is not empty, a bracketed address holds what IPv6 may hold.
    private static func checkHost(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HTTPError) {
        guard !value.isEmpty, value.count <= 255 else { throw HTTPError(400, "Host") }
        let end = value.upperBound
        var index = value.lowerBound
        if bytes[index] == Chars.openBracket {
            index += 1
            while index < end, Chars.hex(bytes[index]) != nil || bytes[index] == Chars.colon || bytes[index] == Chars.dot { index += 1 }
            guard index < end, bytes[index] == Chars.closeBracket, index > value.lowerBound + 2 else { throw HTTPError(400, "Host") }
            index += 1
        } else {
            while index < end, bytes[index] != Chars.colon {
                guard Chars.isRegName(bytes[index]) else { throw HTTPError(400, "Host") }
                if bytes[index] == Chars.percent, !bytes.isEscape(at: index, before: end) { throw HTTPError(400, "Host") }
                index += 1
            }
            guard index > value.lowerBound else { throw HTTPError(400, "Host") }
        }
        guard index < end else { return }
        guard bytes[index] == Chars.colon, end - index - 1 <= 5 else { throw HTTPError(400, "Host port") }
        for digit in index + 1..<end where !Chars.isDigit(bytes[digit]) { throw HTTPError(400, "Host port") }
    }
}
