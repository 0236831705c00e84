internal import HTTP
internal import Identity

/// What a request offers to prove who asks.
public enum Credential: Sendable, Hashable {
    /// A signed token (JWT).
    case token(String)
    /// An API key, `olk_…`.
    case apiKey(String)

    /// Most bytes of a credential.
    static let maximumLength = 8192

    /// Reads `Authorization: Bearer …` or `X-API-Key`.
    /// - Returns: nil when there is neither.
    /// - Throws: `Problem` 401 when what is there cannot be a credential, or when there is more than one: it must not depend on which one a
    ///   reader takes.
    init?(_ headers: Headers) throws(Problem) {
        let authorizations = headers.all("Authorization")
        let keys = headers.all("X-API-Key")
        guard authorizations.count + keys.count <= 1 else {
            throw .unauthenticated("there is more than one credential", error: "invalid_request")
        }
        if let key = keys.first {
            guard Self.isPlausible(key), key.hasPrefix(APIKey.prefix) else {
                throw .unauthenticated("X-API-Key has no API key", error: "invalid_token")
            }
            self = .apiKey(key)
            return
        }
        guard let value = authorizations.first else { return nil }
        guard let text = Self.bearer(value), Self.isPlausible(text) else {
            throw .unauthenticated("Authorization must be Bearer and a token or an API key", error: "invalid_request")
        }
        self = text.hasPrefix(APIKey.prefix) ? .apiKey(text) : .token(text)
    }

    /// What stands behind the scheme, which is read in any case (RFC 9110 §11.1), and one or more blanks.
    private static func bearer(_ value: String) -> String? {
        let scheme = value.utf8.prefix { $0 != 0x20 }
        guard scheme.count == 6, zip(scheme, "bearer".utf8).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        return String(value.utf8[scheme.endIndex...].drop { $0 == 0x20 })
    }

    private static func isPlausible(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumLength && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }
}

extension Problem {
    /// 401 with the challenge that RFC 6750 §3 asks for.
    /// - Parameter error: its `error` code; nil when no credential came at all.
    static func unauthenticated(_ detail: String, error: String? = nil) -> Problem {
        let challenge = #"Bearer realm="openledger""# + (error.map { #", error="\#($0)""# } ?? "")
        return Problem(.unauthenticated, detail, field: "Authorization", headers: ["WWW-Authenticate": challenge])
    }

    /// 403 that names what was missing.
    static func lacks(_ scopes: [String]) -> Problem {
        let list = scopes.joined(separator: " ")
        return Problem(
            .forbidden, "the credential lacks \(scopes.count == 1 ? "the scope" : "the scopes") \(list)", field: "Authorization",
            headers: ["WWW-Authenticate": #"Bearer realm="openledger", error="insufficient_scope", scope="\#(list)""#])
    }
}
