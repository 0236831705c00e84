internal import HTTP
internal import Identity
internal import Telemetry

/// Lets callers through to a route, or not.
struct Gate: Sendable {
    private let authenticator: Authenticator
    private let limiter: FailureLimiter
    private let known: KnownCredentials
    private let failures: Family<Counter>
    private let signed: SignedRequests

    /// Who was let through.
    struct Admission {
        /// Who asks; nil on public routes, and where no credential is asked for.
        var caller: Caller?
        /// What binds the body to the request, where the request is signed.
        var seal: BodySeal?
    }

    init(authenticator: Authenticator, metrics: Metrics, options: ApplicationOptions) {
        self.authenticator = authenticator
        limiter = FailureLimiter(
            burst: options.authenticationFailures, refill: options.failureForgiven, capacity: options.failureTable)
        known = KnownCredentials(capacity: options.failureTable)
        signed = SignedRequests()
        failures = metrics.counter(
            "openledger_http_authentication_failures_total", help: "Requests refused for their credential.", labels: ["reason"])
    }

    /// - Returns: who asks. On public routes credentials are not looked at.
    /// - Throws: `Problem` 401, 403 or 429; 503 when the credential cannot be checked now.
    func admit(_ request: Request, _ route: Route) async throws -> Admission {
        switch route.access {
        case .public: return Admission()
        case .scopesOrLoopback(let scopes):
            if Self.isLocal(request), request.headers["Authorization"] == nil, request.headers["X-API-Key"] == nil { return Admission() }
            return try await authenticate(request, route, scopes)
        case .scopes(let scopes): return try await authenticate(request, route, scopes)
        case .authenticated: return try await authenticate(request, route, [])
        }
    }

    private func authenticate(_ request: Request, _ route: Route, _ scopes: Set<String>) async throws -> Admission {
        let admission = try await identify(request, route)
        let missing = scopes.subtracting(admission.caller?.scopes ?? [])
        guard missing.isEmpty else {
            failures.with("scope").add()
            throw Problem.lacks(missing.sorted())
        }
        return admission
    }

    private func identify(_ request: Request, _ route: Route) async throws -> Admission {
        do {
            if SignedRequests.isSigned(request.headers) {
                try checkLimit(request, nil)
                return try await signed.admit(request, route, holder: authenticator.holder, bot: authenticator.bot)
            }
            guard let credential = try Credential(request.headers) else {
                failures.with("none").add()
                throw Problem.unauthenticated("send a token or an API key: Authorization: Bearer …")
            }
            try checkLimit(request, credential)
            let caller = try await authenticator.verify(credential)
            known.add(credential)
            return Admission(caller: caller)
        } catch let refusal as Authenticator.Refusal {
            failures.with("invalid").add()
            if let address = Self.limitedAddress(request) { limiter.fail(address, now: .now) }
            throw Problem.unauthenticated(refusal.reason, error: "invalid_token")
        }
    }

    private func checkLimit(_ request: Request, _ credential: Credential?) throws(Problem) {
        guard let address = Self.limitedAddress(request), let wait = limiter.wait(address, now: .now) else { return }
        if let credential, known.contains(credential) { return }
        failures.with("limited").add()
        throw Problem(
            .tooManyRequests, "too many credentials from this address were refused",
            headers: ["Retry-After": String(max(1, Int(wait.inSeconds.rounded(.up))))])
    }

    /// The address whose failures are counted. Behind a socket whose proxy names no client all would share one fate.
    private static func limitedAddress(_ request: Request) -> String? {
        guard let peer = request.peer, peer.address != "unix" else { return nil }
        return peer.address
    }

    private static func isLocal(_ request: Request) -> Bool {
        guard let peer = request.peer, !peer.isForwarded else { return false }
        return peer.address == "127.0.0.1" || peer.address == "::1"
    }
}
