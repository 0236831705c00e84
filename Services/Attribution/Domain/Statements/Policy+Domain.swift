public import Events

extension AttributionDomain.AttributionPolicy {
    /// What a model's published policy means to the computation: weights from basis points, bounds where the published form has wider ones.
    ///
    /// The published fallback `owner` pays nobody here: the shares stay empty, and the fee's part goes to the model's owner.
    public init(_ policy: Events.AttributionPolicy) throws(AttributionError) {
        self.init()
        let version = Int(policy.rules.split(separator: "/").last ?? "") ?? 0
        guard Self.known.contains(version), policy.rules == "attribution/\(version)" else { throw .unknownRules(version) }
        rules = version
        weights = [.spans: policy.spans, .influence: policy.influence, .retrieval: policy.retrieval]
            .mapValues { min($0, 10_000) * 100_000 }
        minimumSpanTokens = min(max(policy.minimumSpan, 1), 1_024)
        threshold = min(policy.threshold, Apportionment.whole)
        fallback = .admittedTokens
    }

    /// What answers of models that were never published are attributed by: to nobody, so that no number of theirs ever counts.
    public static let rulesText = "attribution/1"
}
