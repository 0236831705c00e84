internal import Crypto
internal import HTTP
internal import JSON
internal import Web

/// When a token was made.
enum TokenTime {
    /// The second since 1970 in which the request's bearer token was made; nil for a request without one, or a token that does not say. The
    /// token was verified before the route was reached: this only reads on.
    static func issued(_ context: RequestContext) -> Int64? {
        guard let header = context.request.headers["Authorization"] else { return nil }
        let parts = header.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard token.count == 3, let payload = Base64URL.decode(String(token[1])), let claims = try? JSON.parse(payload) else { return nil }
        return claims["iat"]?.intValue
    }
}
