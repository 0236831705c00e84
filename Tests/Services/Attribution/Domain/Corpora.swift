import AttributionDomain
import Crypto

/// A source of spans that answers what it was told.
struct ToldSpans: SpanSource {
    let snapshotRoot = SHA256.hash(utf8: "told")
    var matches: [SpanMatch]
    /// The items that copy others, wherever they are.
    var copies: Set<String> = []

    func maximalSpans(of text: WordSequence, minimumTokens: Int, occurrenceLimit: Int) -> [SpanMatch] {
        matches.filter { $0.length >= minimumTokens }
    }

    func copies(of words: Range<Int>, in text: WordSequence, among items: [String], minimum: Int) -> Set<String> {
        copies.intersection(items.dropFirst())
    }
}

func words(_ range: Range<Int>) -> String { range.map { "w\($0)" }.joined(separator: " ") }

func policy(_ weights: [AttributionMethod: Int], _ change: (inout AttributionPolicy) -> Void = { _ in }) -> AttributionPolicy {
    var policy = AttributionPolicy()
    policy.weights = weights
    policy.threshold = 0
    change(&policy)
    return policy
}

extension AttributionResult {
    var byOwner: [String: Int] { Dictionary(uniqueKeysWithValues: shares.map { ($0.owner, $0.share) }) }
}

func spansOnly(
    _ matches: [SpanMatch], _ items: [String: ItemFacts], answer: String = words(0..<100), prompt: String = "",
    _ change: (inout AttributionPolicy) -> Void = { _ in }
) throws -> AttributionResult {
    try Attribution.compute(
        answer: WordSequence(answer), prompt: WordSequence(prompt), index: ToldSpans(matches: matches), items: SnapshotItems(items),
        policy: policy([.spans: 1_000_000_000], change))
}

func span(_ start: Int, _ length: Int, _ items: [String]) -> SpanMatch {
    SpanMatch(start: start, length: length, occurrences: items.count, items: items)
}
