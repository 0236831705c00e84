internal import HTTP

extension ClientRequest {
    /// Refuses what could not be sent as one well-formed request, so that no input can smuggle a second one.
    func validate() throws(HTTPClientError) {
        guard !method.isEmpty, method.utf8.count <= 32, method.utf8.allSatisfy(Self.isTokenByte) else {
            throw .invalidRequest("method \(Self.shown(method)) is not a token")
        }
        try validateURL()
        for field in headers { try Self.validate(field) }
        if method == "HEAD", !body.isEmpty { throw .invalidRequest("HEAD carries no body") }
        if method == "CONNECT" { throw .invalidRequest("CONNECT is for proxies only") }
        if case .stream(_, let length?) = body, length < 0 { throw .invalidRequest("the body's length \(length) is negative") }
        if maximumBodyBytes < 0 { throw .invalidRequest("maximumBodyBytes \(maximumBodyBytes) is negative") }
    }

    private func validateURL() throws(HTTPClientError) {
        guard let target = URLParts(url) else {
            throw .invalidRequest("URL \(Self.shown(url)) is not an absolute http or https URL")
        }
        guard url.utf8.count <= 16_384 else { throw .invalidRequest("URL is longer than 16,384 bytes") }
        guard url.utf8.allSatisfy(Self.isURLByte) else {
            throw .invalidRequest("URL \(Self.shown(url)) has a byte that must be percent-encoded")
        }
        guard !target.authority.contains("@") else { throw .invalidRequest("URL carries user information") }
    }

    private static func validate(_ field: Header) throws(HTTPClientError) {
        guard !field.name.isEmpty, field.name.utf8.allSatisfy(isTokenByte) else {
            throw .invalidRequest("header name \(shown(field.name)) is not a token")
        }
        guard field.value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }) else {
            throw .invalidRequest("header \(field.name) has a control character in its value")
        }
        if framing.contains(field.name.lowercased()) {
            throw .invalidRequest("header \(field.name) is the transport's to set")
        }
    }

    private static let framing: Set<String> = [
        "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade",
        "expect",
    ]

    /// What RFC 3986 lets stand in a URL. A backslash is not among it: parsers disagree on where it ends a host.
    private static func isURLByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x3C, 0x3E, 0x5C, 0x5E, 0x60, 0x7B...0x7D: false
        default: byte > 0x20 && byte < 0x7F
        }
    }

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    /// Hostile text made fit for a message: short, and without control characters.
    private static func shown(_ text: String) -> String {
        String(reflecting: String(text.unicodeScalars.prefix(80).map(Character.init)))
    }
}
