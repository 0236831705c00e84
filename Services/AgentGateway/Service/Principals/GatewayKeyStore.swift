internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Identity

/// API keys as the log tells of them.
struct GatewayKeyStore: APIKeyStore {
    let maker: DecisionMaker<GatewayState>

    func record(for hash: Digest) async throws -> APIKeyRecord? {
        try await maker.query { state -> APIKeyRecord? in
            guard let key = state.apiKeys[hash], let principal = state.principals[key.principal] else { return nil }
            let caller = Caller(
                subject: principal.id, issuer: "agent-gateway", kind: Caller.Kind(rawValue: principal.kind) ?? .agent,
                scopes: Set(key.scopes), key: key.key)
            return APIKeyRecord(hash: hash, caller: caller, expiry: key.expires.map { $0.microseconds / 1_000_000 })
        }
    }

    func add(_ record: APIKeyRecord) async throws { throw GatewayError.forbidden("API keys are issued by POST /v1/keys") }

    /// Keys end by DELETE /v1/keys/{key}, which knows whose they are.
    func revoke(_ hash: Digest) async throws {}
}
