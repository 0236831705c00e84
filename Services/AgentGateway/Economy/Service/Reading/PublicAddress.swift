public import HTTP
public import Telemetry

/// Where this gateway is for the world: what cards and documents say.
public struct PublicAddress: Sendable {
    /// The address as the deployment gives it.
    public let configured: String?

    /// `OPENLEDGER_PUBLIC_URL`: such as `https://gateway.example.org`; what the request was sent to when left out.
    public init(_ settings: Configuration) {
        let text = settings.string("PUBLIC_URL", default: "")
        configured = text.isEmpty ? nil : text.last == "/" ? String(text.dropLast()) : text
    }

    /// Whether a request was sent to an address that nobody else can have: the configured one, or this machine by its own name. A word that is
    /// signed for another's address must not be good here, whatever its bearer says that it was sent to.
    public func isOwn(_ request: Request) -> Bool { isOwn(host: request.headers["Host"]) }

    /// The same of the host that a request names.
    func isOwn(host: String?) -> Bool {
        if configured != nil { return true }
        let host = base(host: host).dropFirst("http://".count)
        let name = host.last == "]" ? host : host[..<(host.lastIndex(of: ":") ?? host.endIndex)]
        return ["localhost", "127.0.0.1", "[::1]"].contains(name)
    }

    /// The address without a slash at its end.
    public func base(_ request: Request) -> String { base(host: request.headers["Host"]) }

    func base(host: String?) -> String {
        if let configured { return configured }
        // Only what can be a host stands in a document of ours.
        let host = host ?? "localhost"
        let isHost =
            !host.isEmpty && host.utf8.count <= 255
            && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".:-[]".contains($0)) }
        return "http://" + (isHost ? host : "localhost")
    }
}
