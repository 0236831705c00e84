public import Events

extension AttributionDomain.AttributionPolicy {
    /// What a model's published policy means to the computation: weights from basis points, bounds where the published form has wider ones.
    ///
    /// The published fallback `owner` pays nobody here: the shares stay empty, and the fee's part goes to the model's owner.
    public init(_ policy: Events.AttributionPolicy) throws(AttributionError) {
        self.init()
        guard policy.rules == Self.rulesText else { throw .unknownRules(Int(policy.rules.split(separator: "/").last ?? "") ?? 0) }
        rules = 1
        weights = [.spans: policy.spans, .influence: policy.influence, .retrieval: policy.retrieval]
            .mapValues { min($0, 10_000) * 100_000 }
        minimumSpanTokens = min(max(policy.minimumSpan, 1), 1_024)
        threshold = min(policy.threshold, Apportionment.whole)
        fallback = .admittedTokens
    }

    /// The rules that this program knows, as models name them.
    public static let rulesText = "attribution/1"
}
