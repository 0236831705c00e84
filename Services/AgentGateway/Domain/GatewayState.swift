public import Crypto
public import Decisions
public import Events
internal import Identity
internal import JSON

/// What the gateway must remember: who is who, which keys count, which models may be asked, and what was used up.
public struct GatewayState: ServiceState {
    /// Principals by id.
    public private(set) var principals: [String: Principal] = [:]
    /// The principal of a linked key, by its did:key.
    public private(set) var principalByKey: [String: String] = [:]
    /// Linked keys by what requests that they sign call them: their JWK thumbprint (RFC 7638).
    public private(set) var keysByThumbprint: [String: String] = [:]
    /// API keys that count, by hash.
    public private(set) var apiKeys: [Digest: KeyIssued] = [:]
    /// The hash of an API key, by its id.
    private var apiKeyHashes: [String: Digest] = [:]
    /// Versions of a model by its name; nil stands for a retired one.
    public private(set) var models: [String: [ModelPublished?]] = [:]
    /// When each version was published, likewise.
    public private(set) var modelTimes: [String: [Timestamp]] = [:]
    /// The last answers.
    public private(set) var answers: RecentAnswers
    /// How many answers were given, and how many of them have been attributed.
    private var answered = 0
    private var attributed = 0
    /// What was used up with each API key, by the key's id.
    public private(set) var keyUsage: [String: KeyUsage] = [:]
    /// Keys that recoveries have ended and of which it has not been told yet, in the order in which it will be, and since when.
    public internal(set) var keysToEnd: ArraySlice<(key: LostKey, since: Timestamp)> = []
    /// What passages may be taken from.
    public private(set) var retrieval = RetrievalSources()

    /// Nothing yet.
    /// - Parameter remembered: how many answers are at hand; nothing that is decided hangs on it.
    public init(remembering remembered: Int = RecentAnswers.usualCount) { answers = RecentAnswers(remembered) }

    private static let types: Set<String> = [
        PrincipalRegistered.type, PrincipalConfigured.type, KeyRotated.type, KeyIssued.type, KeyRevoked.type, ModelPublished.type,
        ModelRetired.type, InferenceCompleted.type, AttributionComputed.type,
    ]

    /// The types that it folds.
    public static func concerns(_ type: String) -> Bool { types.contains(type) || RetrievalSources.types.contains(type) }

    /// How many answers wait for their attribution.
    public var unattributed: Int { max(0, answered - attributed) }

    /// Folds one event.
    public mutating func apply(_ fact: Fact) throws {
        if fact.type == AttributionComputed.type {
            attributed += 1
            return
        }
        if RetrievalSources.types.contains(fact.type) { return try retrieval.apply(fact) }
        let data = try fact.data.object()
        switch fact.type {
        case PrincipalRegistered.type:
            let registered = try PrincipalRegistered(data)
            principals[registered.principal] = Principal(registered, at: fact.time)
            link(registered.key, to: registered.principal)
        case PrincipalConfigured.type:
            let chosen = try PrincipalConfigured(data)
            principals[chosen.principal]?.retentionDays = chosen.retentionDays
        case KeyRotated.type: try rotate(KeyRotated(data), at: fact.time)
        case KeyIssued.type:
            let issued = try KeyIssued(data)
            apiKeys[issued.hash] = issued
            apiKeyHashes[issued.key] = issued.hash
        case KeyRevoked.type:
            let revoked = try KeyRevoked(data)
            if !isTold(.api(revoked.key, of: revoked.principal)) { dropAPIKey(revoked.key) }
        case ModelPublished.type:
            let model = try ModelPublished(data)
            models[model.model, default: []].append(model)
            modelTimes[model.model, default: []].append(fact.time)
            retrieval.publish(model)
        case ModelRetired.type:
            let retired = try ModelRetired(data)
            retrieval.retire(retired)
            let versions = models[retired.model] ?? []
            models[retired.model] = versions.enumerated().map { index, model in
                retired.version == nil || retired.version == index + 1 ? nil : model
            }
        default:
            let inference = try InferenceCompleted(data)
            answers.insert(inference)
            answered += 1
            if let key = inference.key { try keyUsage[key, default: KeyUsage()].add(inference, at: fact.time) }
        }
    }

    private mutating func rotate(_ change: KeyRotated, at time: Timestamp) throws {
        guard let principal = principals[change.principal] else { throw GatewayError.notFound("principal \(change.principal)") }
        if let removed = change.removed {
            // Told of after the recovery that ended it: tokens end with the telling too, as services apart from here take it.
            if isTold(.linked(removed, of: principal.id)) {
                principals[principal.id]?.keysEnded = time
            } else {
                unlink(removed, from: principal.id, at: time)
            }
        }
        if let added = change.added {
            if change.recovered == true {
                lose(keysLost(with: principal), at: time)
                principals[principal.id]?.keysEnded = time
            }
            principals[principal.id]?.keys.append(added)
            link(added, to: principal.id)
        }
        if let verified = change.verified { principals[principal.id]?.claims.append(verified) }
    }

    /// A linked key counts no more, and no token that was made before.
    mutating func unlink(_ key: String, from principal: String, at time: Timestamp) {
        principals[principal]?.keysEnded = time
        guard principals[principal]?.keys.contains(key) == true else { return }
        principals[principal]?.keys.removeAll { $0 == key }
        principalByKey[key] = nil
        if let publicKey = DIDKey.publicKey(in: key) { keysByThumbprint[PublicKeySet.thumbprint(of: publicKey)] = nil }
    }

    /// An API key counts no more.
    mutating func dropAPIKey(_ id: String) { if let hash = apiKeyHashes.removeValue(forKey: id) { apiKeys[hash] = nil } }

    private mutating func link(_ key: String, to principal: String) {
        principalByKey[key] = principal
        if let publicKey = DIDKey.publicKey(in: key) { keysByThumbprint[PublicKeySet.thumbprint(of: publicKey)] = key }
    }

    /// Whether a principal is the other itself, or an agent of the other's.
    public func isOwn(_ principal: String, of other: String) -> Bool { principal == other || principals[principal]?.owner == other }

    /// The id of an API key's hash.
    public func apiKey(id: String) -> KeyIssued? { apiKeyHashes[id].flatMap { apiKeys[$0] } }

    /// Whether a principal may ask a model: a private one is for its owner and the owner's agents.
    public func mayAsk(_ model: ModelPublished, _ principal: String) -> Bool {
        !model.isPrivate || model.owner == principal || model.owner == principals[principal]?.owner
    }

    /// The model that a request names: as ``model(named:)``; with its base before it, `base:owner/name@version`; or a base alone, which
    /// means the first model that was published of it without an adapter.
    public func model(asked text: String) -> ModelPublished? {
        if let known = model(named: text) { return known }
        if let colon = text.firstIndex(of: ":") {
            let known = model(named: String(text[text.index(after: colon)...]))
            return known?.base == String(text[..<colon]) ? known : nil
        }
        let bare = models.keys.compactMap { name in model(named: name).map { (name, $0) } }.filter {
            $0.1.base == text && $0.1.adapter == nil
        }
        return bare.min { left, right in
            let (first, second) = (modelTimes[left.0]?.first?.microseconds ?? 0, modelTimes[right.0]?.first?.microseconds ?? 0)
            return (first, left.0) < (second, right.0)
        }?.1
    }

    /// The model that a request names: `owner/name`, the newest version that may be asked, or `owner/name@version`.
    public func model(named text: String) -> ModelPublished? {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let versions = models[String(name)] else { return nil }
        if parts.count == 1 { return versions.last { $0 != nil } ?? nil }
        guard let version = Int(parts[1]), String(version) == parts[1], version >= 1, version <= versions.count else { return nil }
        return versions[version - 1]
    }
}
