internal import HTTP

/// Pure: turns the head of a reply into bytes (RFC 9112 §4, §5). Refuses whatever could split or re-frame the message.
enum ReplyHead {
    /// How the body is delimited.
    enum Framing {
        case none
        case length(Int)
        case chunked
        case untilClose
    }

    /// Appends the head to `out`.
    /// - Throws: `HTTPError` 500, naming the bad status or field; `out` is then half written.
    static func write(
        status: Int, headers: Headers, framing: Framing, close: Bool, date: [UInt8], into out: inout [UInt8]
    ) throws(HTTPError) {
        guard (200...599).contains(status) else { throw HTTPError(500, "reply with status \(status)") }
        out.append(contentsOf: "HTTP/1.1 ".utf8)
        digits(status, &out)
        out.append(Chars.space)
        out.append(contentsOf: StatusText.of(status).utf8)
        out.append(contentsOf: "\r\nDate: ".utf8)
        out.append(contentsOf: date)
        for field in headers.fields { try write(headers.bytes.span, field, &out) }
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            out.append(contentsOf: "\r\nContent-Length: ".utf8)
            digits(length, &out)
        case .chunked: out.append(contentsOf: "\r\nTransfer-Encoding: chunked".utf8)
        }
        if close { out.append(contentsOf: "\r\nConnection: close".utf8) }
        out.append(contentsOf: "\r\n\r\n".utf8)
    }

    private static func write(_ bytes: borrowing Span<UInt8>, _ field: Headers.Field, _ out: inout [UInt8]) throws(HTTPError) {
        guard !field.name.isEmpty else { throw HTTPError(500, "reply with an empty field name") }
        out.append(Chars.carriageReturn)
        out.append(Chars.lineFeed)
        for index in field.name {
            guard Chars.isToken(bytes[index]) else { throw HTTPError(500, "reply with a bad field name") }
            out.append(bytes[index])
        }
        guard !isOurs(bytes, field.name) else { throw HTTPError(500, "reply with the server's field \(bytes.string(field.name))") }
        out.append(Chars.colon)
        out.append(Chars.space)
        for index in field.value {
            guard Chars.isFieldValue(bytes[index]) else { throw HTTPError(500, "reply with a bad value of \(bytes.string(field.name))") }
            out.append(bytes[index])
        }
    }

    /// Framing, connection and date are the server's own business.
    private static func isOurs(_ bytes: borrowing Span<UInt8>, _ name: Range<Int>) -> Bool {
        switch name.count {
        case 4: bytes.isWord(name, "date")
        case 7: bytes.isWord(name, "upgrade") || bytes.isWord(name, "trailer")
        case 10: bytes.isWord(name, "connection") || bytes.isWord(name, "keep-alive")
        case 14: bytes.isWord(name, "content-length")
        case 17: bytes.isWord(name, "transfer-encoding")
        default: false
        }
    }

    private static func digits(_ number: Int, _ out: inout [UInt8]) {
        if number >= 10 { digits(number / 10, &out) }
        out.append(UInt8(48 + number % 10))
    }

    /// The size line of a chunk.
    static func chunkSize(_ number: Int, _ out: inout [UInt8]) {
        func hex(_ number: Int) {
            if number >= 16 { hex(number >> 4) }
            let digit = number & 15
            out.append(UInt8(digit < 10 ? 48 + digit : 87 + digit))
        }
        hex(number)
        out.append(Chars.carriageReturn)
        out.append(Chars.lineFeed)
    }

    /// Whether a reply of that status has a body at all (RFC 9110 §6.4.1).
    static func hasBody(_ status: Int) -> Bool { status != 204 && status != 304 }
}
