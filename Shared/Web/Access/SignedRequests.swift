internal import Crypto
internal import HTTP
internal import HTTPSignatures
internal import Identity
internal import Synchronization
internal import Threads

/// Requests that are signed by a principal's own key (RFC 9421), which needs no token.
///
/// A signature counts for five minutes from when it says that it was made. It has to cover the method and where the request goes, the body by
/// its `Content-Digest`, and an `Idempotency-Key` that is there. Reading needs less of who comes as Web Bot Auth has it: the authority. A request
/// that changes something counts once: signatures that counted are remembered until they would count no more, and none counts that was made
/// before this process began to remember.
final class SignedRequests: Sendable {
    /// How old a signature may be, in seconds.
    static let lifetime: Int64 = 300
    /// How far a caller's clock may be ahead of ours, in seconds.
    static let leeway: Int64 = 30
    /// Most signatures that are remembered at once.
    static let capacity = 65_536

    /// Signatures that counted, until they would not count any more.
    private let seen = Lock<[Digest: Int64]>([:])
    /// From when on it remembers, in seconds since 1970.
    private let started: Int64

    init(started: Int64 = UnixTime.now) { self.started = started }

    static func isSigned(_ headers: Headers) -> Bool {
        headers["Authorization"] == nil && headers["X-API-Key"] == nil && MessageSignature.isThere(headers)
    }

    /// Who signed the request.
    /// - Throws: `Authenticator.Refusal` when nobody did who is known.
    func admit(
        _ request: Request, _ route: Route, holder: (String) async throws -> KeyHolder?,
        bot: (_ keyID: String, _ agent: String) async throws -> KeyHolder? = { _, _ in nil }, now: Int64 = UnixTime.now
    ) async throws -> Gate.Admission {
        if case .stream = route.body {
            throw Authenticator.Refusal("a body that streams is not covered by a signature: send a token, POST /v1/keys/token gives one")
        }
        let signatures: [MessageSignature]
        do { signatures = try MessageSignature.all(in: request.headers) } catch {
            throw Authenticator.Refusal("\(error)")
        }
        var refusal = Authenticator.Refusal("no signature is by a key that is known here")
        for signature in signatures {
            guard let keyID = signature.keyID else { continue }
            var found = try await holder(keyID)
            if found == nil, Self.isBots(signature, request, now), let agent = signature.agent(in: request.headers) {
                found = try await bot(keyID, agent)
            }
            guard let holder = found else { continue }
            do throws(Authenticator.Refusal) {
                try check(signature, request, holder.key, now)
                return Gate.Admission(
                    caller: holder.caller,
                    seal: BodySeal(digest: signature.covered.contains("content-digest") ? request.headers["Content-Digest"] : nil))
            } catch { refusal = error }
        }
        throw refusal
    }

    /// Whether a signature may be of a program that nobody here knows, which says itself where its keys are: it may read, no more, and
    /// nothing is fetched for a signature that would not count.
    private static func isBots(_ signature: MessageSignature, _ request: Request, _ now: Int64) -> Bool {
        guard signature.tag == "web-bot-auth", request.method == "GET" || request.method == "HEAD", let created = signature.created else {
            return false
        }
        return created <= now + leeway && now - created < lifetime && signature.expires ?? .max > now
    }

    private func check(
        _ signature: MessageSignature, _ request: Request, _ key: Ed25519PublicKey, _ now: Int64
    ) throws(Authenticator.Refusal) {
        guard signature.algorithm == nil || signature.algorithm == "ed25519" else {
            throw .init("signatures are taken by ed25519 alone")
        }
        guard let created = signature.created, created <= now + Self.leeway, now - created < Self.lifetime else {
            throw .init("created must be there, and within the last \(Self.lifetime) seconds; our clock says \(now)")
        }
        if let expires = signature.expires, expires <= now { throw .init("the signature has expired") }
        let isReading = request.method == "GET" || request.method == "HEAD"
        if let missing = Self.missing(signature, request, isReading) {
            throw .init("the signature must cover \(missing)")
        }
        guard try Self.isValid(signature, request, key) else {
            throw .init("the signature is not by \(signature.keyID ?? "") over this request")
        }
        if !isReading, created < started {
            throw .init("the signature was made before this service started, which cannot know whether it was used: sign the request anew")
        }
        if !isReading { try remember(signature, until: created + Self.lifetime, now) }
    }

    /// What a signature has to cover and does not.
    private static func missing(_ signature: MessageSignature, _ request: Request, _ isReading: Bool) -> String? {
        let covered = signature.covered
        if request.headers["Idempotency-Key"] != nil, !covered.contains("idempotency-key") { return "idempotency-key" }
        if isReading, signature.tag == "web-bot-auth" {
            return covered.contains("@authority") || covered.contains("@target-uri") ? nil : "@authority"
        }
        guard covered.contains("@method") else { return "@method" }
        if covered.contains("@target-uri") { return nil }
        guard covered.contains("@authority") else { return "@target-uri, or @authority" }
        if covered.contains("@request-target") { return nil }
        guard covered.contains("@path") else { return "@target-uri, or @path" }
        return request.query == nil || covered.contains("@query") ? nil : "@target-uri, or @query"
    }

    /// A proxy that ends TLS need not say so: the scheme may be either.
    private static func isValid(
        _ signature: MessageSignature, _ request: Request, _ key: Ed25519PublicKey
    ) throws(Authenticator.Refusal) -> Bool {
        let hosts = request.headers.all("Host")
        guard hosts.count == 1, let host = hosts.first else { throw .init("a signed request has one Host") }
        for scheme in request.peer?.isSecure == true ? ["https"] : ["http", "https"] {
            let message = SignedMessage(
                method: request.method, scheme: scheme, authority: host, target: request.target, headers: request.headers)
            do throws(SignatureError) {
                if try signature.isValid(for: message, by: key) { return true }
            } catch { throw .init(error.description) }
        }
        return false
    }

    private func remember(_ signature: MessageSignature, until: Int64, _ now: Int64) throws(Authenticator.Refusal) {
        let name = SHA256.hash(signature.bytes)
        let isNew = seen.withLock { seen -> Bool? in
            if let end = seen[name], end > now { return false }
            if seen.count >= Self.capacity { seen = seen.filter { $0.value > now } }
            guard seen.count < Self.capacity else { return nil }
            seen[name] = until
            return true
        }
        guard let isNew else { throw .init("too many signed requests come at once: send a token, or ask again later") }
        guard isNew else { throw .init("this signature has been used: sign each request anew, with a nonce of its own") }
    }
}
