public import Crypto

/// What one method says.
public struct MethodOutcome: Sendable, Hashable {
    /// The method.
    public let method: AttributionMethod
    /// How sure it is, in parts of 10^9.
    public let confidence: Int
    /// Its own shares of 10^9, largest first; empty where it found nobody.
    public let shares: [OwnerShare]
}

/// Who shaped an answer.
public struct AttributionResult: Sendable, Hashable {
    /// The rules it was computed by.
    public let rules: Int
    /// Shares of 10^9, largest first, then by name; they add up to 10^9 exactly, and none is 0.
    public let shares: [OwnerShare]
    /// Each method that the policy gives weight, in the order spans, influence, retrieval.
    public let methods: [MethodOutcome]
    /// The methods' confidence, averaged by their weights; parts of 10^9.
    public let confidence: Int
    /// Whether the fallback pays, because the confidence is below the policy's threshold or no method found anybody.
    public let isFallback: Bool
    /// What all this follows from.
    public let evidence: AttributionEvidence
    /// The hash of the evidence's canonical JSON.
    public let digest: Digest
}
