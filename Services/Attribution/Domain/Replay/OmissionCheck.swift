internal import Crypto
internal import Events
internal import Replay

/// What of an answer's findings has to be there: a method that the policy weighs is looked at, or the statement says why not, by a code that
/// nothing on the log contradicts. Without that whoever computes could leave a method out and turn an answer over to the fallback.
struct OmissionCheck {
    let found: AttributionEvidence
    let missing: Set<String>
    let sources: [AttributionStatement.Source]
    let policy: AttributionPolicy
    let items: SnapshotItems
    let answer: InferenceCompleted
    /// The training items' rows, as the model's job put them on the log.
    let rows: Digest?
    let passages: [Events.RetrievedPassage]
    /// The items of the searched snapshots that were taken back between the answer and its attribution.
    let gone: Set<String>
    /// Under rules before 4, whose statements also said so of what was lost and of what was purged before the log said it: whether anything at
    /// all was taken back meanwhile. Nil where it has to be one of `gone`.
    var isThinned: Bool?

    /// Why an answer's text was not to be had.
    private static let textless: Set<String> = ["content-erased", "content-unreadable", "content-gone", "text-too-long"]
    /// Why there are no scores though there are rows and a row.
    private static let scoreless: Set<String> = ["no-rows", "no-row", "bad-rows", "row-of-other-factors"]
    private static let others: Set<String> = ["no-index", "items-gone", "passage-gone"]

    /// - Throws: `Unlawful` that names what is left out.
    func check() throws {
        let known = Self.textless.union(Self.scoreless).union(Self.others)
        if let strange = missing.subtracting(known).min() { throw Unlawful("its statement misses \(strange), which nothing is called") }
        try checkText()
        try checkSpans()
        try checkInfluence()
        try checkPassages()
    }

    private var hasText: Bool { missing.isDisjoint(with: Self.textless) }

    private func checkText() throws {
        guard !hasText else { return }
        guard found.answerTokens == 0, found.echoedTokens == 0, found.spans == nil, found.passages == nil else {
            throw Unlawful("its findings are of a text that its statement says was not there")
        }
    }

    private func checkSpans() throws {
        let isIndexless = sources.contains { $0.index == nil }
        guard isIndexless == missing.contains("no-index") else {
            throw Unlawful("its statement \(isIndexless ? "does not say that" : "says that") a snapshot has no index")
        }
        guard isThinned ?? !gone.isEmpty || !missing.contains("items-gone") else {
            throw Unlawful("its statement says that items are gone, and since the answer none of what was searched was taken back")
        }
        let isSearched = policy.weights[.spans, default: 0] > 0 && hasText && sources.contains { $0.index != nil }
        guard isSearched == (found.spans != nil) else {
            throw Unlawful(isSearched ? "its findings leave the spans out" : "its findings have spans where nothing could be searched")
        }
    }

    private func checkInfluence() throws {
        let codes = missing.intersection(Self.scoreless)
        guard policy.weights[.influence, default: 0] > 0 else {
            guard codes.isEmpty else { throw Unlawful("its statement misses rows that the policy does not ask for") }
            return
        }
        guard found.influence == nil else {
            guard codes.isEmpty else { throw Unlawful("its findings have influence, and its statement says why there is none") }
            guard rows != nil, answer.row != nil else { throw Unlawful("its findings have influence without rows on the log") }
            return
        }
        // What the log says is missing is called by its name; rows that training has lost or that cannot be read only their keeper knows.
        let why: Set<String> = rows == nil ? ["no-rows"] : answer.row == nil ? ["no-row"] : Self.scoreless
        guard codes.count == 1, codes.isSubset(of: why) else {
            throw Unlawful(
                "its findings leave influence out, and the log has \(rows == nil ? "no rows" : answer.row == nil ? "no row" : "both rows")")
        }
    }

    /// Every passage that was put before the model and whose owner may be paid is there once, in its place, unless just that one was taken
    /// back since; and none is said to be gone where none is.
    private func checkPassages() throws {
        guard policy.weights[.retrieval, default: 0] > 0, hasText else {
            guard found.passages == nil else { throw Unlawful("its findings have passages, which the policy gives no weight") }
            return
        }
        let mayBeGone = missing.contains("passage-gone")
        var rest = (found.passages ?? [])[...]
        var isOneGone = false
        for passage in passages.prefix(AttributionLimits.passages) {
            let isPayable = items[items.earner(for: passage.item)] != nil
            if isPayable, let next = rest.first, next.item == passage.item, next.isCited == passage.cited {
                rest = rest.dropFirst()
            } else if isPayable, !mayBeGone || isThinned == nil && !gone.contains(passage.item) {
                throw Unlawful("its findings leave the passage \(passage.item) out, and nobody took it back")
            } else {
                isOneGone = true
            }
        }
        guard rest.isEmpty else { throw Unlawful("its findings have passages twice, or in another order") }
        guard isOneGone || !mayBeGone || isThinned != nil else {
            throw Unlawful("its statement says that a passage is gone, and all are there")
        }
    }
}
