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

    /// The address without a slash at its end.
    public func base(_ request: Request) -> String {
        if let configured { return configured }
        // Only what can be a host stands in a document of ours.
        let host = request.headers["Host"] ?? "localhost"
        let isHost =
            !host.isEmpty && host.utf8.count <= 255
            && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || ".:-[]".contains($0)) }
        return "http://" + (isHost ? host : "localhost")
    }
}
