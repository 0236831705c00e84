public import Crypto
import JSON

/// All that an answer's shares follow from, without any content: numbers, places and names.
public struct AttributionEvidence: Sendable, Hashable {
    /// The rules that made it.
    public let rules: Int
    /// The root of the snapshot that was searched; nil where no index was.
    public let snapshotRoot: Digest?
    /// The answer's words.
    public let answerTokens: Int
    /// Those of them that repeat the prompt.
    public let echoedTokens: Int
    /// The answer's maximal spans; nil where spans were not looked for.
    public let spans: [SpanEvidence]?
    /// Unique tokens of the spans' owners.
    public let uniqueTokens: [String: Int]
    /// Influence; nil where it was not computed.
    public let influence: InfluenceEvidence?
    /// The passages put before the model; nil where there were none.
    public let passages: [PassageEvidence]?
    /// Who stands behind the owners that methods found; nobody up to the rules 3.
    public let parties: Parties
    /// Admitted tokens by owner, where the fallback pays.
    public let fallback: [String: Int]?

    /// Canonical JSON (RFC 8785): what is stored and hashed.
    public func bytes() throws(AttributionError) -> [UInt8] {
        do {
            return try JSON.canonical(json, allowFractions: false)
        } catch {
            throw .badEvidence(pointer: "", reason: "\(error)")
        }
    }

    /// The same evidence with who the fallback pays.
    func with(fallback: [String: Int]) -> AttributionEvidence {
        AttributionEvidence(
            rules: rules, snapshotRoot: snapshotRoot, answerTokens: answerTokens, echoedTokens: echoedTokens, spans: spans,
            uniqueTokens: uniqueTokens, influence: influence, passages: passages, parties: parties, fallback: fallback)
    }
}
