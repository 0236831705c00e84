internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import Webhooks

/// API keys, and the keys that principals sign by, as the log tells of them.
struct GatewayKeyStore: APIKeyStore {
    let maker: DecisionMaker<GatewayState>
    let bots: BotDirectories

    func record(for hash: Digest) async throws -> APIKeyRecord? {
        try await maker.query { state -> APIKeyRecord? in
            guard let key = state.apiKeys[hash], let principal = state.principals[key.principal] else { return nil }
            let caller = Caller(
                subject: principal.id, issuer: "agent-gateway", kind: Caller.Kind(rawValue: principal.kind) ?? .agent,
                scopes: Set(key.scopes), key: key.key)
            return APIKeyRecord(hash: hash, caller: caller, expiry: key.expires.map { $0.microseconds / 1_000_000 })
        }
    }

    /// With what is still on its way to the log: who is to be refused is refused a moment early rather than late, and nobody waits for it.
    func tokensEnd(of subject: String) async throws -> Int64? {
        try await maker.glance { $0.principals[subject]?.tokensEnd }
    }

    func add(_ record: APIKeyRecord) async throws { throw GatewayError.forbidden("API keys are issued by POST /v1/keys") }

    /// Keys end by DELETE /v1/keys/{key}, which knows whose they are.
    func revoke(_ hash: Digest) async throws {}

    /// A program of the web, which nobody here knows: it has a name, and no scope.
    func holder(of keyID: String, at agent: String) async throws -> KeyHolder? {
        guard let found = await bots.key(keyID, of: agent) else { return nil }
        return KeyHolder(
            caller: Caller(subject: "bot:" + found.host, issuer: "web-bot-auth", kind: .agent), key: found.key)
    }

    func holder(of keyID: String) async throws -> KeyHolder? {
        try await maker.find { state -> KeyHolder? in
            guard let did = keyID.hasPrefix("did:key:") ? keyID : state.keysByThumbprint[keyID], let id = state.principalByKey[did],
                let principal = state.principals[id], let key = DIDKey.publicKey(in: did)
            else { return nil }
            let caller = Caller(
                subject: id, issuer: "agent-gateway", kind: Caller.Kind(rawValue: principal.kind) ?? .agent,
                scopes: PrincipalRules.usualScopes)
            return KeyHolder(caller: caller, key: key)
        }
    }
}
