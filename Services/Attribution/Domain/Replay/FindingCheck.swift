internal import Crypto
internal import Events
internal import Replay

/// What of the methods' findings can be compared without the texts: whose items they name, what the tables say, and that no word of an
/// answer is paid twice.
struct FindingCheck {
    private let found: AttributionEvidence
    private let items: SnapshotItems
    private let sources: [AttributionStatement.Source]
    private let policy: AttributionPolicy

    init(
        _ found: AttributionEvidence, items: SnapshotItems, sources: [AttributionStatement.Source], policy: Events.AttributionPolicy
    ) throws(AttributionError) {
        self.found = found
        self.items = items
        self.sources = sources
        self.policy = try AttributionPolicy(policy)
    }

    /// - Throws: `Unlawful` that names what differs.
    func check(passages: [Events.RetrievedPassage]) throws {
        guard found.rules == policy.rules else { throw Unlawful("its findings are by the rules \(found.rules)") }
        try checkSpans()
        try checkPassages(passages)
        try checkInfluence()
        try checkParties()
        if let fallback = found.fallback, let difference = Self.difference(items.admittedTokens, fallback) {
            throw Unlawful("its findings' fallback is not by the owners' admitted tokens: \(difference)")
        }
    }

    private func checkSpans() throws {
        guard let spans = found.spans else {
            guard found.uniqueTokens.isEmpty, found.snapshotRoot == nil else { throw Unlawful("its findings name an index without spans") }
            return
        }
        guard policy.weights[.spans, default: 0] > 0 else { throw Unlawful("its findings have spans, which the policy gives no weight") }
        let roots = sources.filter { $0.index != nil }.map(\.snapshot.root)
        let root =
            roots.count == 1 ? roots[0] : SHA256.hash(Array("openledger/index-set\n".utf8) + roots.flatMap(\.bytes))
        guard found.snapshotRoot == root else {
            throw Unlawful("its findings' snapshotRoot is not that of the snapshots searched")
        }
        var unique: [String: Int] = [:]
        var paid = 0
        var end = -1
        for (number, span) in spans.enumerated() {
            func fault(_ reason: String) -> Unlawful { Unlawful("its findings' span \(number) \(reason)") }
            guard span.start + span.length > end, span.length >= policy.minimumSpanTokens else {
                throw fault("lies within another, or is shorter than the policy's least")
            }
            end = span.start + span.length
            guard end <= found.answerTokens else { throw fault("goes beyond the answer") }
            paid += span.paidTokens
            guard span.documents >= span.earners.count else { throw fault("has more owners than documents") }
            for earner in span.earners {
                guard items[earner.item]?.owner == earner.owner else {
                    throw fault("credits \(earner.owner) with \(earner.item), which is not theirs here")
                }
                guard isHead(earner.item) else {
                    throw fault("credits \(earner.item), which repeats an earlier item")
                }
                unique[earner.owner] = items.uniqueTokens[earner.owner] ?? 0
            }
            guard Set(span.earners.map(\.owner)).count == span.earners.count else { throw fault("credits an owner twice") }
        }
        guard paid <= max(0, found.answerTokens - found.echoedTokens) else {
            throw Unlawful("its findings pay \(paid) words of an answer that has \(found.answerTokens - found.echoedTokens) of its own")
        }
        if let difference = Self.difference(unique, found.uniqueTokens) {
            throw Unlawful("its findings' uniqueTokens are not the owners' new words: \(difference)")
        }
    }

    /// Whether an item earns for itself. Up to the rules 2 also one that repeats another earns, for those that repeat it.
    private func isHead(_ item: String) -> Bool {
        if items.earner(for: item) == item { return true }
        return policy.rules < 3 && items.facts.values.contains { $0.head == item }
    }

    private func checkPassages(_ passages: [Events.RetrievedPassage]) throws {
        for (number, passage) in (found.passages ?? []).enumerated() {
            func fault(_ reason: String) -> Unlawful { Unlawful("its findings' passage \(number) \(reason)") }
            guard passages.contains(where: { $0.item == passage.item && $0.cited == passage.isCited }) else {
                throw fault("was not put before the model, or not cited as it says")
            }
            guard items[items.earner(for: passage.item)]?.owner == passage.owner else {
                throw fault("credits \(passage.owner) with \(passage.item), which is not theirs here")
            }
            let most = passage.isCited ? Apportionment.whole : policy.uncitedPassages
            guard passage.usedTokens <= found.answerTokens, passage.credit <= passage.usedTokens * most else {
                throw fault("earns more than the words that it gave")
            }
        }
    }

    private func checkInfluence() throws {
        guard let influence = found.influence else { return }
        guard policy.weights[.influence, default: 0] > 0 else {
            throw Unlawful("its findings have influence, which the policy gives no weight")
        }
        let owners = Set(items.facts.values.map(\.owner))
        for checkpoint in influence.checkpoints {
            guard policy.rules >= 2 || checkpoint.canaries.isEmpty else {
                throw Unlawful("its findings have canaries, which the rules \(policy.rules) do not know")
            }
            if let odd = checkpoint.canaries.first(where: { Canary.name(of: $0.owner + "/") != $0.owner || $0.rows < 1 }) {
                throw Unlawful("its findings call \(odd.owner) a canary, which is no canary's name")
            }
            if let stranger = checkpoint.owners.first(where: { !owners.contains($0.owner) }) {
                throw Unlawful("its findings credit \(stranger.owner) with influence, who has no item in the snapshots")
            }
        }
    }

    /// Who stands behind those whom the findings name.
    private func checkParties() throws {
        var named = (found.spans ?? []).flatMap { $0.earners.map(\.owner) } + (found.passages ?? []).map(\.owner)
        for checkpoint in found.influence?.checkpoints ?? [] { named += checkpoint.owners.map(\.owner) }
        let expected = policy.rules < 4 ? .alone : items.parties.only(named)
        guard found.parties != expected else { return }
        let names = Set(expected.behind.keys).union(found.parties.behind.keys).sorted()
        let name = names.first { expected.behind[$0] != found.parties.behind[$0] } ?? ""
        func text(_ behind: String?) -> String { behind.map { $0 == Parties.crowd ? "all who are not verified" : $0 } ?? "nobody" }
        throw Unlawful(
            "its findings put \(text(found.parties.behind[name])) behind \(name), and the log \(text(expected.behind[name]))")
    }

    private static func difference(_ expected: [String: Int], _ found: [String: Int]) -> String? {
        guard expected != found else { return nil }
        let owner = Set(expected.keys).union(found.keys).sorted().first { expected[$0] != found[$0] } ?? ""
        let text = { (value: Int?) in value.map(String.init) ?? "nothing" }
        return "\(owner) has \(text(found[owner])), and the lists make \(text(expected[owner]))"
    }
}
