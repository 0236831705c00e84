/// Who may use a route. Every route states it; there is no default.
public enum Access: Sendable, Hashable {
    /// Anybody, without a credential.
    case `public`
    /// Whoever proves to be somebody. The handler decides what of it the caller may see.
    case authenticated
    /// Whoever has a credential with all of these scopes.
    case scopes(Set<String>)
    /// As `scopes`, and also without a credential from this very machine: a connection from 127.0.0.1 or ::1 that no proxy forwarded.
    /// Only for what a site has explicitly opened so: behind a proxy that forwards no addresses everybody seems to be local.
    case scopesOrLoopback(Set<String>)

    /// One scope.
    public static func scope(_ scope: String) -> Access { .scopes([scope]) }

    /// The scopes that a token needs, for the OpenAPI document.
    var required: [String] {
        switch self {
        case .public, .authenticated: []
        case .scopes(let scopes), .scopesOrLoopback(let scopes): scopes.sorted()
        }
    }
}
