public import Identity

/// Turns a credential into the caller that it proves.
public struct Authenticator: Sendable {
    /// Why a credential proves nothing.
    public struct Refusal: Error, Sendable, Equatable {
        /// In words for whoever holds the credential.
        public let reason: String

        /// Makes a refusal.
        public init(_ reason: String) { self.reason = reason }
    }

    /// Checks a credential. Throws `Refusal` for one that proves nothing, anything else when it cannot be checked now.
    public let verify: @Sendable (Credential) async throws -> Caller

    /// Whose key requests are signed by (RFC 9421), by its JWK thumbprint or did:key; nil for one that is not known.
    public let holder: @Sendable (_ keyID: String) async throws -> KeyHolder?

    /// An authenticator of one's own.
    public init(
        holder: @escaping @Sendable (_ keyID: String) async throws -> KeyHolder? = { _ in nil },
        verify: @escaping @Sendable (Credential) async throws -> Caller
    ) {
        self.holder = holder
        self.verify = verify
    }

    /// Takes signed tokens, API keys and requests signed by keys that the store knows, or some of them; nil takes none of that kind.
    /// - Parameter services: what each service may do here, by its name. A service signs its own tokens, so the scopes that it claims are
    ///   its own word: they do not count, this table does.
    public init(tokens: TokenVerifier?, keys: (any APIKeyStore)?, services: [String: Set<String>] = [:]) {
        self.init(holder: { try await keys?.holder(of: $0) }) { credential in
            switch credential {
            case .token(let text):
                guard let tokens else { throw Refusal("tokens are not taken here") }
                do throws(TokenError) { return Self.granted(try tokens.verify(text), services) } catch { throw Refusal(error.description) }
            case .apiKey(let text):
                guard let keys else { throw Refusal("API keys are not taken here") }
                // One answer for every reason: who guesses learns nothing.
                guard let key = APIKey(text), let caller = try await keys.caller(for: key) else {
                    throw Refusal("the API key is not valid")
                }
                return caller
            }
        }
    }

    private static func granted(_ caller: Caller, _ services: [String: Set<String>]) -> Caller {
        guard caller.kind == .service else { return caller }
        // A service speaks for itself only: a token that one signs in another's name allows nothing.
        let scopes = caller.issuer == caller.subject ? services[caller.subject] : nil
        return Caller(subject: caller.subject, issuer: caller.issuer, kind: .service, scopes: scopes ?? [])
    }

    /// Refuses everybody: for an application whose routes are all public.
    public static let nobody = Authenticator { _ in throw Refusal("no credentials are taken here") }
}
