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

    /// Whose key a request is signed by that says itself where its keys are (Web Bot Auth); nil for one that is not there.
    public let bot: @Sendable (_ keyID: String, _ agent: String) async throws -> KeyHolder?

    /// An authenticator of one's own.
    public init(
        holder: @escaping @Sendable (_ keyID: String) async throws -> KeyHolder? = { _ in nil },
        bot: @escaping @Sendable (_ keyID: String, _ agent: String) async throws -> KeyHolder? = { _, _ in nil },
        verify: @escaping @Sendable (Credential) async throws -> Caller
    ) {
        self.holder = holder
        self.verify = verify
        self.bot = bot
    }

    /// Takes signed tokens, API keys and requests signed by keys that the store knows, or some of them; nil takes none of that kind.
    /// - Parameter services: what each service may do here, by its name. A service signs its own tokens, so the scopes that it claims are
    ///   its own word: they do not count, this table does.
    ///   - vouching: for whom each issuer that has a line here may speak besides itself. Its key signs nobody else's token. An issuer
    ///   without a line is one that people and agents are known by: what it claims of them is believed.
    public init(
        tokens: TokenVerifier?, keys: (any APIKeyStore)?, services: [String: Set<String>] = [:], vouching: [String: [Vouching]] = [:]
    ) {
        self.init(holder: { try await keys?.holder(of: $0) }, bot: { try await keys?.holder(of: $0, at: $1) }) { credential in
            switch credential {
            case .token(let text):
                guard let tokens else { throw Refusal("tokens are not taken here") }
                let token: VerifiedToken
                do throws(TokenError) { token = try tokens.read(Array(text.utf8)) } catch { throw Refusal(error.description) }
                let caller = try Self.granted(token.caller, services, vouching)
                // Who has it may be who found the key that was given up.
                if caller.kind != .service, let end = try await keys?.tokensEnd(of: caller.subject), token.issued ?? .min <= end {
                    throw Refusal("a key of \(caller.subject) was given up, or taken from it, after the token was made: sign in anew")
                }
                return caller
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

    private static func granted(
        _ caller: Caller, _ services: [String: Set<String>], _ vouching: [String: [Vouching]]
    ) throws(Refusal) -> Caller {
        guard caller.kind == .service else {
            guard let known = vouching[caller.issuer] else { return caller }
            guard let line = known.first(where: { $0.subject == caller.subject && $0.kind == caller.kind }) else {
                throw Refusal(
                    "\(caller.issuer) does not vouch for the \(caller.kind.rawValue) \(caller.subject): tokens of people and agents are the gateway's"
                )
            }
            return Caller(
                subject: caller.subject, issuer: caller.issuer, kind: caller.kind, scopes: caller.scopes.intersection(line.scopes))
        }
        // A service speaks for itself only: a token that one signs in another's name allows nothing.
        let scopes = caller.issuer == caller.subject ? services[caller.subject] : nil
        return Caller(subject: caller.subject, issuer: caller.issuer, kind: .service, scopes: scopes ?? [])
    }

    /// Refuses everybody: for an application whose routes are all public.
    public static let nobody = Authenticator { _ in throw Refusal("no credentials are taken here") }
}
