public import Crypto
public import Decisions
public import Events
internal import Money

/// What is decided about principals and their keys.
public enum PrincipalRules {
    /// What a principal of each kind may do for itself: everything that is open to the public. Whose things they are is checked by the
    /// service that has them.
    public static let usualScopes: Set<String> = [
        "contributions:write", "contributions:read", "datanets:write", "datanets:read", "jobs:write", "models:write", "inferences:write",
        "inferences:read", "accounts:read", "accounts:write", "disputes:write", "stakes:write", "claims:write", "agents:write",
        "keys:write",
        "attributions:read",
    ]

    /// Most API keys of one principal.
    public static let maximumKeys = 100

    /// Somebody new.
    /// - Parameter proof: has been checked; whose the owner's key is, is looked at here. An audit takes none without it.
    public static func register(kind: String, key: String, owner: String?, proof: KeyProof? = nil) -> DecisionMaker<GatewayState>.Rule {
        { state, context in
            guard state.principalByKey[key] == nil, !state.isEnding(key) else {
                throw GatewayError.exists("a principal with the key \(key)")
            }
            if let owner {
                guard kind == "agent" else { throw GatewayError.invalid(field: "owner", reason: "is for agents only") }
                guard let principal = state.principals[owner] else { throw GatewayError.notFound("principal \(owner)") }
                guard principal.kind != "agent" else {
                    throw GatewayError.invalid(field: "owner", reason: "must be a person or organisation")
                }
                if let signer = proof?.ownerKey, !principal.keys.contains(signer) {
                    throw GatewayError.badSignature("\(signer) is no key of \(owner)")
                }
            } else if kind == "agent" {
                throw GatewayError.invalid(field: "owner", reason: "is missing: an agent belongs to somebody")
            }
            let id = context.newID("pr")
            return [
                NewEvent(
                    PrincipalRegistered(
                        principal: id, kind: kind, key: key, owner: owner, signature: proof?.signature,
                        ownerKey: owner == nil ? nil : proof?.ownerKey, ownerSignature: owner == nil ? nil : proof?.ownerSignature),
                    stream: try stream("principal", id))
            ]
        }
    }

    /// A principal links a further key, or puts one in the place of another.
    /// - Parameter signature: by the added key; it has been checked.
    public static func rotate(
        _ principal: String, adding: String?, removing: String?, signature: String? = nil
    ) -> DecisionMaker<GatewayState>.Rule {
        { state, _ in
            guard let known = state.principals[principal] else { throw GatewayError.notFound("principal \(principal)") }
            if let adding, state.principalByKey[adding] != nil || state.isEnding(adding) {
                throw GatewayError.exists("a principal with the key \(adding)")
            }
            if let removing {
                guard known.keys.contains(removing) else { throw GatewayError.notFound("key \(removing) of \(principal)") }
                guard adding != nil || known.keys.count > 1 else {
                    throw GatewayError.invalid(field: "remove", reason: "would leave the principal without a key: add another first")
                }
            }
            guard adding != nil || removing != nil else { throw GatewayError.invalid(field: "add", reason: "or remove must be given") }
            return [
                NewEvent(
                    KeyRotated(principal: principal, added: adding, removed: removing, signature: adding == nil ? nil : signature),
                    stream: try stream("principal", principal))
            ]
        }
    }

    /// A principal who lost its keys gets a new one. Whoever found the old ones can do nothing with them: they end, and its API keys too. So do
    /// the keys of agents that were registered by one of them: who found it may have done so. The owner recovers its own. All of it counts no
    /// more as soon as the new key is there; what one append has no room for is told by ``endRest()``.
    /// - Parameter signature: by the new key; it has been checked.
    public static func recover(_ principal: String, adding: String, signature: String? = nil) -> DecisionMaker<GatewayState>.Rule {
        { state, _ in
            guard let known = state.principals[principal] else { throw GatewayError.notFound("principal \(principal)") }
            guard state.principalByKey[adding] == nil, !state.isEnding(adding) else {
                throw GatewayError.exists("a principal with the key \(adding)")
            }
            let own = try stream("principal", principal)
            var events = [NewEvent(KeyRotated(principal: principal, added: adding, recovered: true, signature: signature), stream: own)]
            for key in state.keysLost(with: known).prefix(maximumEvents - 1) { events.append(try told(key)) }
            return events
        }
    }

    /// Most events of one append.
    static let maximumEvents = 1_024

    /// What the command of a part begins with that tells of keys which a recovery has ended.
    public static let restStep = "recovery:"

    /// Tells of keys that recoveries have ended and for which an append had no room, as many as go into one.
    public static func endRest() -> DecisionMaker<GatewayState>.Rule {
        { state, _ in try state.keysToEnd.prefix(maximumEvents).map { try told($0.key) } }
    }

    private static func told(_ key: LostKey) throws(GatewayError) -> NewEvent {
        switch key {
        case .linked(let did, let principal):
            NewEvent(KeyRotated(principal: principal, removed: did, recovered: true), stream: try stream("principal", principal))
        case .api(let id, let principal): NewEvent(KeyRevoked(key: id, principal: principal), stream: try stream("key", id))
        }
    }

    /// The same for who asks by a token, unless a key of its principal's has ended since that was made: who still has it may be who has that key.
    /// - Parameter issued: the second since 1970 in which the token was made; nil for who signed the request itself, by a key that counts now.
    public static func asked(
        by principal: String, issued: Int64?, _ rule: @escaping DecisionMaker<GatewayState>.Rule
    ) -> DecisionMaker<GatewayState>.Rule {
        { state, context in
            if let issued, let end = state.principals[principal]?.tokensEnd, issued <= end {
                throw GatewayError.forbidden("a key of \(principal) has ended since this token was made: sign in anew")
            }
            return try rule(state, context)
        }
    }

    /// The second in which a principal's tokens may be said to be made: tokens know seconds only, so one that is made in the very second in
    /// which a key ended is of the next.
    public static func issue(at now: Int64, for principal: Principal) -> Int64 { max(now, principal.tokensEnd.map { $0 + 1 } ?? now) }

    /// A principal chooses how long the texts of the answers that it pays for are kept, in days; nil: until it erases them.
    public static func configure(_ principal: String, retentionDays: Int?) -> DecisionMaker<GatewayState>.Rule {
        { state, _ in
            guard let known = state.principals[principal] else { throw GatewayError.notFound("principal \(principal)") }
            if let retentionDays, !Retention.range.contains(retentionDays) {
                throw GatewayError.invalid(field: "retention_days", reason: "must be 1 to \(Retention.range.upperBound)")
            }
            if known.retentionDays == retentionDays { return [] }
            let chosen = PrincipalConfigured(principal: principal, retentionDays: retentionDays)
            return [NewEvent(chosen, stream: try stream("principal", principal))]
        }
    }

    /// A principal erased its texts and files, and these keys are destroyed.
    public static func erase(_ principal: String, keys: [Digest]) -> DecisionMaker<GatewayState>.Rule {
        { state, _ in
            guard state.principals[principal] != nil else { throw GatewayError.notFound("principal \(principal)") }
            guard !keys.isEmpty else { throw GatewayError.notFound("text or file of \(principal)") }
            return [NewEvent(PrincipalErased(principal: principal, keys: keys), stream: try stream("principal", principal))]
        }
    }

    /// Somebody who may vouch says that a principal has proven a claim.
    public static func verify(_ principal: String, claim: String) -> DecisionMaker<GatewayState>.Rule {
        { state, _ in
            guard let known = state.principals[principal] else { throw GatewayError.notFound("principal \(principal)") }
            guard ["mail", "domain", "vouched"].contains(claim) else {
                throw GatewayError.invalid(field: "claim", reason: "must be mail, domain or vouched")
            }
            if known.claims.contains(claim) { return [] }
            return [NewEvent(KeyRotated(principal: principal, verified: claim), stream: try stream("principal", principal))]
        }
    }

    /// An API key for a principal, with no more than who asks may do.
    public static func issue(
        _ hash: Digest, to principal: String, scopes: Set<String>, allowed: Set<String>, expires: Timestamp?,
        limits: KeyLimits? = nil
    ) -> DecisionMaker<GatewayState>.Rule {
        { state, context in
            let beyond = scopes.subtracting(allowed).sorted()
            guard beyond.isEmpty else {
                throw GatewayError.forbidden("you may not give what you do not have: \(beyond.joined(separator: ", "))")
            }
            guard state.apiKeys[hash] == nil else { throw GatewayError.exists("this key") }
            guard state.apiKeys.values.count(where: { $0.principal == principal }) < maximumKeys else {
                throw GatewayError.forbidden("\(principal) has \(maximumKeys) API keys: revoke one first")
            }
            if let expires, expires <= context.time { throw GatewayError.invalid(field: "expires", reason: "must lie ahead") }
            if let limits { try check(limits, scopes) }
            let id = context.newID("key")
            return [
                NewEvent(
                    KeyIssued(key: id, principal: principal, hash: hash, scopes: scopes.sorted(), expires: expires, limits: limits),
                    stream: try stream("key", id))
            ]
        }
    }

    /// What a key that has a limit of money may allow: that limit counts answers and embeddings, so it moves no money by other ways.
    public static let limitedScopes: Set<String> = [
        "inferences:write", "inferences:read", "keys:write", "accounts:read", "attributions:read", "jobs:read", "contributions:read",
    ]

    /// Whether limits are of money.
    public static func hasMoney(_ limits: KeyLimits) -> Bool { !amounts(limits).isEmpty }

    private static func amounts(_ limits: KeyLimits) -> [Amount] {
        [limits.minute?.money, limits.day?.money, limits.budget].compactMap { $0 }
    }

    private static func check(_ limits: KeyLimits, _ scopes: Set<String>) throws(GatewayError) {
        let amounts = Self.amounts(limits)
        let beyond = amounts.isEmpty ? [] : scopes.subtracting(limitedScopes).sorted()
        guard beyond.isEmpty else {
            throw .invalid(
                field: "scopes",
                reason: "of a key with a limit of money can't have \(beyond.joined(separator: ", ")), which moves money beside that limit")
        }
        guard amounts.allSatisfy({ !$0.isNegative }) else { throw .invalid(field: "limits", reason: "must not be negative") }
        guard Set(amounts.map(\.asset)).count <= 1 else { throw .invalid(field: "limits", reason: "must be in one asset") }
    }

    /// An API key ends, by whose it is or by whom that agent belongs to.
    public static func revoke(_ id: String, by principal: String) -> DecisionMaker<GatewayState>.Rule {
        { state, _ in
            guard let key = state.apiKey(id: id), state.isOwn(key.principal, of: principal) else {
                throw GatewayError.notFound("API key \(id)")
            }
            return [NewEvent(KeyRevoked(key: id, principal: key.principal), stream: try stream("key", id))]
        }
    }

    static func stream(_ kind: String, _ id: String) throws(GatewayError) -> StreamName {
        guard let stream = StreamName(kind: kind, id: id) else { throw .invalid(field: "id", reason: "\(id) can't be a name") }
        return stream
    }
}
