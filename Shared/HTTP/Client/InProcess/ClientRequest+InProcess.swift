internal import HTTP

extension ClientRequest {
    /// The request as a server would hand it to a handler.
    func inProcess(body upload: BodyChannel) -> Request {
        let parts = URLParts(url)
        var headers = self.headers
        if headers["Host"] == nil, let parts { headers.append("Host", parts.authority) }
        let content: RequestBody
        switch body {
        case .bytes(let bytes):
            if !bytes.isEmpty { headers.set("Content-Length", String(bytes.count)) }
            content = RequestBody(bytes)
        case .stream(_, let length):
            if let length { headers.set("Content-Length", String(length)) }
            content = RequestBody(source: upload)
        }
        return Request(method: method, target: parts?.target ?? "/", headers: headers, body: content)
    }
}

extension ClientResponse {
    /// Problem details (RFC 9457) as the server would answer in the handler's stead.
    static func problem(status: Int, detail: String) -> ClientResponse {
        var text = "{\"type\":\"about:blank\",\"status\":\(status)"
        if !detail.isEmpty { text += ",\"detail\":\"\(escaped(detail))\"" }
        let bytes = Array((text + "}\n").utf8)
        let headers: Headers = [
            "Content-Type": "application/problem+json", "Content-Length": String(bytes.count),
        ]
        return ClientResponse(status: status, headers: headers, body: ResponseBody(bytes))
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                out.unicodeScalars.append("\\")
                out.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}": out.append(" ")
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
