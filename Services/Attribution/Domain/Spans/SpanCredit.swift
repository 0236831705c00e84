/// What spans earn.
enum SpanCredit {
    /// Which of the items that have these words have them from an earlier one; the items in the order of precedence.
    typealias Copies = (_ words: Range<Int>, _ items: [String]) -> Set<String>

    /// The maximal spans of an answer with what each was paid for.
    ///
    /// Each word of the answer belongs to the longest span that covers it (the earlier of two equally long), so that no word is paid
    /// twice; words that the prompt said are nobody's. Spans are paid as long as they are, not as they are shown.
    ///
    /// - Parameter copies: nil where copies in part share with what they are of.
    static func evidence(
        answer: WordSequence, echoed: [Bool], matches: [SpanMatch], items: SnapshotItems, copies: Copies?
    ) throws(AttributionError) -> [SpanEvidence] {
        // The owner of each word: spans in descending length claim what is still free.
        var paid = [Int](repeating: 0, count: matches.count)
        var isTaken = echoed
        for index in matches.indices.sorted(by: { (matches[$1].length, $0) < (matches[$0].length, $1) }) {
            for word in matches[index].words where !isTaken[word] {
                isTaken[word] = true
                paid[index] += 1
            }
        }
        var result: [SpanEvidence] = []
        for (index, match) in matches.enumerated() {
            let clusters = clusters(of: match, items, copies)
            var firsts: [String: (item: String, position: Int)] = [:]
            for earner in clusters {
                guard let facts = items[earner] else { throw .unknownItem(earner) }
                let candidate = (item: earner, position: facts.position)
                if let known = firsts[facts.owner], (known.position, known.item) <= (candidate.position, candidate.item) { continue }
                firsts[facts.owner] = candidate
            }
            let bytes = answer.byteRange(match.words)
            result.append(
                SpanEvidence(
                    start: match.start, length: match.length, byteStart: bytes.lowerBound, byteEnd: bytes.upperBound,
                    occurrences: match.occurrences, documents: clusters.count, paidTokens: paid[index],
                    earners: firsts.map { SpanEarner(owner: $0.key, item: $0.value.item) }.sorted {
                        $0.owner.utf8.lexicographicallyPrecedes($1.owner.utf8)
                    }))
        }
        return result
    }

    /// The heads of the clusters that have a span, without those whose items have it from an earlier one of another cluster.
    private static func clusters(of match: SpanMatch, _ items: SnapshotItems, _ copies: Copies?) -> Set<String> {
        // By head: the earliest of its items that has the span.
        var firsts: [String: (Int, String)] = [:]
        for item in match.items {
            guard let facts = items[item] else { continue }
            let head = items.earner(for: item)
            if let known = firsts[head], known <= (facts.position, item) { continue }
            firsts[head] = (facts.position, item)
        }
        guard let copies, firsts.count > 1 else { return Set(firsts.keys) }
        let copied = copies(match.words, firsts.values.sorted { $0 < $1 }.map(\.1))
        return Set(firsts.filter { !copied.contains($0.value.1) }.keys)
    }

    /// Credit by owner in 10^-9 words: paid words, discounted where many documents have the span, split evenly among its owners' parties
    /// and within them, and for each owner at most its unique tokens.
    static func credit(
        _ spans: [SpanEvidence], caps: [String: Int], parties: Parties, policy: AttributionPolicy
    ) -> [String: UInt128] {
        let whole = UInt128(Apportionment.whole)
        var credit: [String: UInt128] = [:]
        for span in spans where span.paidTokens > 0 && span.documents > 0 && !span.earners.isEmpty {
            let discounted =
                span.documents <= policy.boilerplateDocuments
                ? whole : whole * UInt128(policy.boilerplateDocuments) / UInt128(span.documents)
            for (earner, divisor) in zip(span.earners, parties.divisors(among: span.earners.map(\.owner))) {
                credit[earner.owner, default: 0] += discounted * UInt128(span.paidTokens) / UInt128(divisor)
            }
        }
        for (owner, sum) in credit { credit[owner] = min(sum, UInt128(max(0, caps[owner] ?? 0)) * whole) }
        return credit
    }
}
