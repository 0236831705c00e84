import Crypto

/// From what each method says to one list of shares.
struct Combination {
    private(set) var methods: [MethodOutcome] = []
    private(set) var confidence = 0
    /// Whether the policy's fallback pays.
    let needsFallback: Bool
    private let weights: [(name: String, weight: UInt128)]

    /// Weighs the methods.
    ///
    /// A method counts by its weight times its confidence: one that explains a tenth of an answer decides over a tenth of its weight. What
    /// methods found nobody leave over goes to the others; the confidence of the whole counts them as 0.
    init(_ evidence: AttributionEvidence, policy: AttributionPolicy) throws(AttributionError) {
        var combined: [String: UInt128] = [:]
        var (sure, all): (UInt128, UInt128) = (0, 0)
        for method in AttributionMethod.allCases {
            let weight = UInt128(policy.weights[method] ?? 0)
            guard weight > 0 else { continue }
            guard let (credit, confidence) = try Self.credit(of: method, evidence, policy) else { continue }
            all += weight
            sure += weight * UInt128(confidence)
            let list = credit.filter { $0.value > 0 }.map { (name: $0.key, weight: $0.value) }
            let parts = try Apportionment.divide(list) ?? []
            let shares = zip(list, parts).map { OwnerShare(owner: $0.name, share: $1) }
            methods.append(MethodOutcome(method: method, confidence: confidence, shares: Self.ordered(shares)))
            for share in shares { combined[share.owner, default: 0] += weight * UInt128(confidence) * UInt128(share.share) }
        }
        confidence = all == 0 ? 0 : Int(sure / all)
        weights = combined.filter { $0.value > 0 }.map { (name: $0.key, weight: $0.value) }
        needsFallback = weights.isEmpty || (policy.fallback == .admittedTokens && confidence < policy.threshold)
    }

    /// The result on this evidence.
    func result(_ evidence: AttributionEvidence, policy: AttributionPolicy) throws(AttributionError) -> AttributionResult {
        var paid = weights
        if needsFallback {
            guard let table = evidence.fallback else {
                throw .badEvidence(pointer: "/fallback", reason: "is missing, and under this policy the fallback pays")
            }
            paid = table.filter { $0.value > 0 }.map { (name: $0.key, weight: UInt128($0.value)) }
        }
        guard paid.count <= AttributionLimits.owners else {
            throw .tooMany(what: "owners", count: paid.count, limit: AttributionLimits.owners)
        }
        guard let parts = try Apportionment.divide(paid) else { throw .nobodyToCredit }
        let shares = zip(paid, parts).map { OwnerShare(owner: $0.name, share: $1) }
        return AttributionResult(
            rules: policy.rules, shares: Self.ordered(shares), methods: methods, confidence: confidence, isFallback: needsFallback,
            evidence: evidence, digest: SHA256.hash(try evidence.bytes()))
    }

    private static func credit(
        of method: AttributionMethod, _ evidence: AttributionEvidence, _ policy: AttributionPolicy
    ) throws(AttributionError) -> (credit: [String: UInt128], confidence: Int)? {
        // What part of the answer's own words a credit in 10^-9 words explains.
        func explained(_ credit: UInt128) -> Int {
            let own = UInt128(max(0, evidence.answerTokens - evidence.echoedTokens))
            return own == 0 ? 0 : Int(min(UInt128(Apportionment.whole), credit / own))
        }
        switch method {
        case .spans:
            guard let spans = evidence.spans else { return nil }
            let credit = SpanCredit.credit(spans, caps: evidence.uniqueTokens, parties: evidence.parties, policy: policy)
            return (credit, explained(credit.values.reduce(0, +)))
        case .influence:
            guard let influence = evidence.influence else { return nil }
            let payout = try InfluencePayout(influence, parties: evidence.parties, policy: policy)
            return (payout.credit, ownPart(of: payout.confidence, evidence, policy))
        case .retrieval:
            guard let passages = evidence.passages else { return nil }
            var credit: [String: UInt128] = [:]
            for passage in passages { credit[passage.owner, default: 0] += UInt128(max(0, passage.credit)) }
            return (credit, explained(credit.values.reduce(0, +)))
        }
    }

    /// A row is of all that an answer says, so what the prompt had said counts against it: of an answer that says no more than that nothing
    /// is known. Up to the rules 3 it did not. Where the text is gone nobody knows what the prompt had said.
    private static func ownPart(of confidence: Int, _ evidence: AttributionEvidence, _ policy: AttributionPolicy) -> Int {
        guard policy.rules >= 4, evidence.answerTokens > 0 else { return confidence }
        return confidence * max(0, evidence.answerTokens - evidence.echoedTokens) / evidence.answerTokens
    }

    /// Largest first, then by name; nobody with nothing.
    private static func ordered(_ shares: [OwnerShare]) -> [OwnerShare] {
        shares.filter { $0.share > 0 }.sorted {
            $0.share != $1.share ? $0.share > $1.share : $0.owner.utf8.lexicographicallyPrecedes($1.owner.utf8)
        }
    }
}
