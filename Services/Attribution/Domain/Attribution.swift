/// Proof of attribution: from an answer to who shaped it. Integers only, in a fixed order: the same shares on every machine.
public enum Attribution {
    /// Attributes an answer.
    ///
    /// - Parameters:
    ///   - prompt: what the user said. Passages that the serving side added to it do not belong here.
    ///   - index: the corpus index of the model's snapshot; nil where spans are not looked for.
    ///   - influence: the scores of the model's training rows for this answer; nil where there are none.
    ///   - retrieval: the passages that were put before the model.
    ///   - items: the items of the snapshot that may be paid.
    /// - Throws: `AttributionError`.
    public static func compute(
        answer: WordSequence, prompt: WordSequence, index: (any SpanSource)?, influence: InfluenceInput? = nil,
        retrieval: [RetrievedPassage] = [], items: SnapshotItems, policy: AttributionPolicy
    ) throws(AttributionError) -> AttributionResult {
        try policy.check()
        let words = answer.hashes(key: .local)
        let echoed = GramCover.covered(words, by: prompt.hashes(key: .local), length: policy.echoTokens)
        var spans: [SpanEvidence]?
        if let index, policy.weights[.spans, default: 0] > 0 {
            let matches = index.maximalSpans(
                of: answer, minimumTokens: policy.minimumSpanTokens, occurrenceLimit: AttributionLimits.occurrences)
            // Up to the rules 3 whoever has a span shares it.
            let copies: SpanCredit.Copies? =
                policy.rules < 4
                ? nil : { index.copies(of: $0, in: answer, among: $1, minimum: policy.copiedTokens) }
            spans = try SpanCredit.evidence(answer: answer, echoed: echoed, matches: matches, items: items, copies: copies)
        }
        var passages: [PassageEvidence]?
        if !retrieval.isEmpty, policy.weights[.retrieval, default: 0] > 0 {
            passages = try RetrievalCredit.evidence(answer: words, echoed: echoed, passages: retrieval, items: items, policy: policy)
        }
        var found: InfluenceEvidence?
        if let influence, policy.weights[.influence, default: 0] > 0 {
            found = try InfluenceEvidence.gather(influence, items: items, policy: policy)
        }
        var unique: [String: Int] = [:]
        for span in spans ?? [] {
            for earner in span.earners { unique[earner.owner] = items.uniqueTokens[earner.owner] ?? 0 }
        }
        let named =
            Array(unique.keys) + (passages ?? []).map(\.owner) + (found?.checkpoints ?? []).flatMap { $0.owners.map(\.owner) }
        let evidence = AttributionEvidence(
            rules: policy.rules, snapshotRoot: spans == nil ? nil : index?.snapshotRoot, answerTokens: answer.count,
            echoedTokens: echoed.count(where: { $0 }), spans: spans, uniqueTokens: unique, influence: found, passages: passages,
            parties: policy.rules < 4 ? .alone : items.parties.only(named), fallback: nil)
        let combined = try Combination(evidence, policy: policy)
        guard combined.needsFallback else { return try combined.result(evidence, policy: policy) }
        return try combined.result(evidence.with(fallback: items.admittedTokens), policy: policy)
    }

    /// Computes the shares again from evidence alone.
    ///
    /// - Throws: `AttributionError.unknownRules`, or `.badEvidence` for evidence that was made under other rules or by another threshold.
    public static func recompute(
        evidence: AttributionEvidence, policy: AttributionPolicy
    ) throws(AttributionError) -> AttributionResult {
        try policy.check()
        guard evidence.rules == policy.rules else {
            throw .badEvidence(pointer: "/rules", reason: "is \(evidence.rules), and the policy's are \(policy.rules)")
        }
        return try Combination(evidence, policy: policy).result(evidence, policy: policy)
    }
}
