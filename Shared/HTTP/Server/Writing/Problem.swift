internal import HTTP

/// The server's own errors, as problem details (RFC 9457).
enum Problem {
    static func reply(_ status: Int, _ detail: String) -> Response {
        var out: [UInt8] = Array("{\"type\":\"about:blank\",\"title\":\"\(StatusText.of(status))\",\"status\":\(status)".utf8)
        if !detail.isEmpty {
            out.append(contentsOf: ",\"detail\":\"".utf8)
            for byte in detail.utf8 {
                switch byte {
                case Chars.quote, Chars.backslash: out += [Chars.backslash, byte]
                case 0..<32: out.append(Chars.space)
                default: out.append(byte)
                }
            }
            out.append(Chars.quote)
        }
        out.append(contentsOf: "}\n".utf8)
        var headers: Headers = ["Content-Type": "application/problem+json"]
        if status == 429 || status == 503 { headers.append("Retry-After", "1") }
        return Response(status: status, headers: headers, body: .bytes(out))
    }
}
