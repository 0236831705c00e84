public import Crypto
public import Events

/// The evidence of one attribution: all that its shares follow from, and no content. `shares()` computes them again, so that anybody who
/// has it can check the event to the last unit.
public struct AttributionStatement: Sendable, Hashable {
    /// A snapshot that was searched.
    public struct Source: Sendable, Hashable {
        /// The snapshot.
        public let snapshot: SnapshotReference
        /// The hash of its index as `index.built` has it; nil where it could not be indexed.
        public let index: Digest?
        /// Whether it is there for passages alone, and the model did not learn from it.
        public let isRetrieval: Bool

        /// A snapshot and its index.
        public init(snapshot: SnapshotReference, index: Digest?, isRetrieval: Bool) {
            self.snapshot = snapshot
            self.index = index
            self.isRetrieval = isRetrieval
        }
    }

    /// The attribution.
    public let attribution: String
    /// The answer.
    public let inference: String
    /// The model.
    public let model: String
    /// Its version.
    public let version: Int
    /// The model's policy; nil for a model that was never published.
    public let policy: Events.AttributionPolicy?
    /// What was searched.
    public let sources: [Source]
    /// What was not there to be looked at.
    public let missing: [String]
    /// What the methods found; nil where there is nobody to credit.
    public let computed: AttributionEvidence?
    /// For each owner that is paid, what of it is due to which Datanet.
    public let datanets: [String: [String: Int]]
    /// Admitted tokens of every owner, where one had more than the cap.
    public let admitted: [String: Int]
    /// Of those who count for the cap, who is not verified.
    public let unverified: [String]
    /// Who stands behind them; nobody up to the rules 3, where they count as one.
    public let parties: Parties
    /// Owners whom rulings took out.
    public let excluded: [String]

    /// A statement from its parts.
    public init(
        attribution: String, inference: String, model: String, version: Int, policy: Events.AttributionPolicy?, sources: [Source],
        missing: [String], computed: AttributionEvidence?, datanets: [String: [String: Int]], admitted: [String: Int],
        unverified: [String], parties: Parties = .alone, excluded: [String]
    ) {
        self.attribution = attribution
        self.inference = inference
        self.model = model
        self.version = version
        self.policy = policy
        self.sources = sources
        self.missing = missing
        self.computed = computed
        self.datanets = datanets
        self.admitted = admitted
        self.unverified = unverified
        self.parties = parties
        self.excluded = excluded
    }

    /// The rules, as the event names them.
    public var rules: String { policy?.rules ?? AttributionDomain.AttributionPolicy.rulesText }

    /// What the methods found, computed again; nil where there is nobody to credit.
    public func result() throws -> AttributionResult? {
        guard let policy, let computed else { return nil }
        return try Attribution.recompute(evidence: computed, policy: AttributionDomain.AttributionPolicy(policy))
    }

    /// Whether the fallback pays.
    public func isFallback() throws -> Bool { try result()?.isFallback ?? true }

    /// Each method's part in the result. A method without data has neither weight nor confidence; where the fallback pays, no method has
    /// weight.
    public func methods() throws -> [MethodResult] {
        let result = try result()
        var weights: [AttributionMethod: Int] = [:]
        if let result, !result.isFallback, let policy {
            let known = try AttributionDomain.AttributionPolicy(policy).weights
            let list = result.methods.map {
                (name: $0.method.rawValue, weight: UInt128(known[$0.method] ?? 0) * UInt128($0.shares.isEmpty ? 0 : $0.confidence))
            }
            for (outcome, part) in zip(result.methods, try Apportionment.divide(list) ?? []) { weights[outcome.method] = part }
        }
        return AttributionMethod.allCases.map { method in
            MethodResult(
                method: method.rawValue, weight: weights[method] ?? 0,
                confidence: result?.methods.first { $0.method == method }?.confidence ?? 0)
        }
    }

    /// The shares: parts of 10^9 by owner and Datanet, the largest owner first; none where the model's owner is paid instead.
    public func shares() throws -> [AttributionShare] {
        guard let result = try result(), let policy else { return [] }
        if result.isFallback, policy.fallback == "owner" { return [] }
        let gone = Set(excluded)
        var parts = try OwnerCap.apply(
            result.shares, cap: policy.cap, admitted: admitted, unverified: Set(unverified), parties: parties)
        if !gone.isEmpty { parts = try Self.without(gone, parts) }
        var shares: [AttributionShare] = []
        for (owner, share) in parts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) where share > 0 {
            let list = (datanets[owner] ?? [:]).sorted { $0.key < $1.key }
            guard let divided = try Apportionment.divide(list.map { ($0.key, UInt128(max(0, $0.value))) }, whole: share) else {
                throw AttributionError.badEvidence(pointer: "/datanets", reason: "has no Datanet for \(owner)")
            }
            for ((datanet, _), part) in zip(list, divided) where part > 0 {
                shares.append(AttributionShare(owner: owner, datanet: datanet, share: part))
            }
        }
        return shares
    }

    /// What the excluded had goes to the others by what they have; nobody is left when all are excluded.
    private static func without(_ gone: Set<String>, _ parts: [String: Int]) throws -> [String: Int] {
        let left = parts.filter { !gone.contains($0.key) && $0.value > 0 }.sorted { $0.key < $1.key }
        guard let divided = try Apportionment.divide(left.map { ($0.key, UInt128($0.value)) }) else { return [:] }
        return Dictionary(uniqueKeysWithValues: zip(left.map(\.key), divided))
    }

    /// The same without those whom a ruling penalises; from the rules 3 on under all of their names.
    public func corrected(by ruling: RulingMade, at position: UInt64, names: OwnerNames) -> AttributionStatement {
        let penalised = ruling.penalties.map(\.principal)
        guard CreditTable.rules(of: policy) >= 3 else { return excluding(penalised) }
        return excluding(penalised.flatMap { names.names(of: $0, before: position) })
    }

    /// The same without these owners.
    public func excluding(_ owners: [String]) -> AttributionStatement {
        AttributionStatement(
            attribution: attribution, inference: inference, model: model, version: version, policy: policy, sources: sources,
            missing: missing, computed: computed, datanets: datanets, admitted: admitted, unverified: unverified, parties: parties,
            excluded: Set(excluded).union(owners).sorted())
    }
}
