internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web

/// The gateway as an authorization server, as far as programs need one: a client is a principal, and proves it by a JWT that one of its
/// keys signed (RFC 7523 §2.2). It is the same proof as that of `POST /v1/keys/token`, in the form that OAuth's clients make by themselves.
struct OAuthRoutes: Sendable {
    let maker: DecisionMaker<GatewayState>
    let signer: TokenSigner
    let address: PublicAddress
    let used: UsedAssertions

    var routes: [Route] { [metadata, keys, authorize, token] }

    private static let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    private var metadata: Route {
        Route(
            .get, "/.well-known/oauth-authorization-server", operation: "authorizationServerMetadata",
            summary: "How programs get tokens (RFC 8414).", access: .public, replies: [.json(200, "The metadata.", .any)]
        ) { [address] context in
            let base = address.base(context.request)
            return .json([
                "issuer": .string(base), "token_endpoint": .string(base + "/oauth/token"),
                "jwks_uri": .string(base + Self.keysPath),
                // Nobody signs in by a browser here. Clients that were seen read no metadata without it.
                "authorization_endpoint": .string(base + "/oauth/authorize"), "response_types_supported": [],
                "grant_types_supported": ["client_credentials"], "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["EdDSA"],
                "scopes_supported": .texts(PrincipalRules.usualScopes.sorted()),
            ])
        }
    }

    private static let keysPath = "/.well-known/jwks.json"

    private var keys: Route {
        Route(
            .get, Self.keysPath, operation: "tokenKeys", summary: "The public keys that the gateway's tokens are checked by (RFC 7517).",
            access: .public, replies: [.json(200, "A JWK Set.", .any)]
        ) { [signer] _ in .json(try JSON.parse(PublicKeySet([signer.publicEntry]).jwks)) }
    }

    private var authorize: Route {
        Route(
            .get, "/oauth/authorize", operation: "oauthAuthorize", summary: "Says that nobody signs in by a browser here.",
            access: .public, replies: [.json(400, "RFC 6749 §5.2.", .any)]
        ) { _ in
            Self.refused(
                "unsupported_response_type",
                "people and agents prove who they are by their keys: use the grant client_credentials with private_key_jwt")
        }
    }

    private var token: Route {
        Route(
            .post, "/oauth/token", operation: "oauthToken",
            summary: "A token for a client's signed word (RFC 6749 §4.4, RFC 7523 §2.2): grant_type client_credentials.",
            access: .public, body: .bytes(["application/x-www-form-urlencoded"], limit: 32 << 10),
            replies: [.json(200, "The token.", .any), .json(400, "RFC 6749 §5.2.", .any), .json(401, "An unknown client.", .any)],
            errors: Self.style
        ) { context in
            let form = try FormFields(context.bytes)
            guard address.isOwn(context.request) else {
                return Self.refused("invalid_request", "the house has to know its address for this: set OPENLEDGER_PUBLIC_URL")
            }
            do throws(Refusal) { return try await grant(form, base: address.base(context.request)) } catch {
                return Self.refused(error.code, error.reason, status: error.code == "invalid_client" ? 401 : 400)
            }
        }
    }

    /// Why there is no token, as RFC 6749 §5.2 names it.
    private struct Refusal: Error {
        let code: String
        let reason: String
        init(_ code: String, _ reason: String) {
            self.code = code
            self.reason = reason
        }
    }

    private func grant(_ form: FormFields, base: String) async throws(Refusal) -> Response {
        guard let type = form["grant_type"] else { throw Refusal("invalid_request", "grant_type is missing") }
        guard type == "client_credentials" else { throw Refusal("unsupported_grant_type", "grant_type must be client_credentials") }
        if let resource = form["resource"], resource != base, !resource.hasPrefix(base + "/") {
            throw Refusal("invalid_target", "resource must be \(base) or a path of it (RFC 8707)")
        }
        var scopes = PrincipalRules.usualScopes
        if let asked = form["scope"] {
            scopes = Set(asked.split(separator: " ").map(String.init))
            let unknown = scopes.subtracting(PrincipalRules.usualScopes).sorted()
            guard unknown.isEmpty else { throw Refusal("invalid_scope", "not given: \(unknown.joined(separator: " "))") }
        }
        let principal = try await client(form, base: base)
        let minted = try? signer.mint(
            subject: principal.id, audience: "openledger", kind: Caller.Kind(rawValue: principal.kind) ?? .agent, scopes: scopes,
            lifetime: KeyRoutes.lifetime, now: PrincipalRules.issue(at: UnixTime.now, for: principal))
        guard let minted else { throw Refusal("invalid_request", "no token can be signed now") }
        return .json(
            [
                "access_token": .string(minted), "token_type": "Bearer", "expires_in": .int(KeyRoutes.lifetime),
                "scope": .string(scopes.sorted().joined(separator: " ")),
            ], headers: ["Cache-Control": "no-store"])
    }

    /// The principal that a client is.
    private func client(_ form: FormFields, base: String) async throws(Refusal) -> Principal {
        guard form["client_assertion_type"] == Self.assertion, let text = form["client_assertion"] else {
            throw Refusal("invalid_client", "send client_assertion, a JWT, with client_assertion_type \(Self.assertion)")
        }
        let word: ClientAssertion
        do throws(TokenError) { word = try ClientAssertion(text) } catch { throw Refusal("invalid_client", error.description) }
        let id = word.claimedSubject
        if let named = form["client_id"], named != id { throw Refusal("invalid_client", "client_id is not the assertion's subject") }
        var principal: Principal?
        do { principal = try await maker.find { $0.principals[id] } } catch {
            throw Refusal("temporarily_unavailable", "principals can't be read now: try again")
        }
        guard let principal else { throw Refusal("invalid_client", "the client is not known") }
        // Some clients write the issuer with the slash that a URL's empty path has.
        let audiences: Set<String> = [base, base + "/", base + "/oauth/token"]
        let use: ClientAssertion.Use
        do throws(TokenError) {
            use = try word.check(by: principal.keys.compactMap { DIDKey.publicKey(in: $0) }, audiences: audiences)
        } catch { throw Refusal("invalid_client", error.description) }
        let answer: UsedAssertions.Answer
        do { answer = try await used.take(use, of: id, now: UnixTime.now) } catch {
            throw Refusal("temporarily_unavailable", "whether the assertion was used before can't be known now: try again")
        }
        switch answer {
        case .taken: return principal
        case .usedBefore: throw Refusal("invalid_client", "the assertion was used before: sign a new one, with a jti of its own")
        case .tooMany: throw Refusal("temporarily_unavailable", "too many assertions are in use: keep the token that one gave you")
        }
    }

    private static func refused(_ code: String, _ reason: String, status: Int = 400) -> Response {
        .json(["error": .string(code), "error_description": .string(reason)], status: status, headers: ["Cache-Control": "no-store"])
    }

    /// Errors of the rules that all routes share, in OAuth's shape.
    private static let style = ErrorStyle(type: "application/json") { problem, _ in
        var response = refused(
            problem.status >= 500 ? "temporarily_unavailable" : "invalid_request", problem.detail, status: problem.status)
        for field in problem.headers { response.headers.set(field.name, field.value) }
        return response
    }
}
