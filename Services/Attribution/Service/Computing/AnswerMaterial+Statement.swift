internal import AttributionDomain
internal import Crypto
internal import Events

extension AnswerMaterial {
    /// Computes the attribution. The same material gives the same statement.
    /// - Throws: `AttributionError`; for rules that are not known here a newer program is needed.
    func statement() throws -> AttributionStatement {
        let table = items()
        guard let published = task.model?.attribution, !table.facts.facts.isEmpty else { return bare(nil) }
        let policy = try AttributionDomain.AttributionPolicy(published)
        let result: AttributionResult
        do {
            result = try Attribution.compute(
                answer: try answer ?? WordSequence(""), prompt: try prompt ?? WordSequence(""), index: answer == nil ? nil : spans,
                influence: influence.map { InfluenceInput(checkpoints: [$0]) }, retrieval: answer == nil ? [] : passages,
                items: table.facts, policy: policy)
        } catch AttributionError.nobodyToCredit {
            return bare(nil)
        }
        let isCapped = isAbove(published.cap, result.shares)
        let admitted = isCapped ? table.facts.admittedTokens.filter { $0.value > 0 } : [:]
        let counted = isCapped ? Set(result.shares.map(\.owner)).union(admitted.keys) : []
        let unverified = counted.filter { (task.verified[$0] ?? .max) >= task.trigger.position }.sorted()
        let paid = Set(result.shares.map(\.owner)).union(admitted.keys)
        return bare(
            result.evidence, datanets: datanets(of: paid, result.evidence, table), admitted: admitted, unverified: unverified)
    }

    /// Whether the cap may cut: one owner is above it, or all who are not verified are together.
    private func isAbove(_ cap: Int, _ shares: [OwnerShare]) -> Bool {
        let unverified = shares.filter { (task.verified[$0.owner] ?? .max) >= task.trigger.position }
        return shares.contains { $0.share > cap } || unverified.reduce(0) { $0 + $1.share } > cap
    }

    private func bare(
        _ computed: AttributionEvidence?, datanets: [String: [String: Int]] = [:], admitted: [String: Int] = [:], unverified: [String] = []
    ) -> AttributionStatement {
        AttributionStatement(
            attribution: attribution, inference: task.inference.inference, model: task.inference.model, version: task.inference.version,
            policy: task.model?.attribution,
            sources: sources.map { AttributionStatement.Source(snapshot: $0.reference, index: $0.index, isRetrieval: $0.isRetrieval) },
            missing: (task.model == nil ? missing + ["unknown-model"] : missing).sorted(), computed: computed, datanets: datanets,
            admitted: admitted, unverified: unverified, excluded: [])
    }

    private struct Table {
        var facts: SnapshotItems
        var datanets: [String: String]
        var tokens: [String: [String: Int]]
    }

    /// The items that may be paid: what was taken back before the answer is not among them. The fallback pays by the snapshots that the
    /// model learned from; those for passages alone count where it has no others.
    private func items() -> Table {
        let hasOwn = sources.contains { !$0.isRetrieval }
        var facts: [String: ItemFacts] = [:]
        var datanets: [String: String] = [:]
        var tokens: [String: [String: Int]] = [:]
        for source in sources {
            for item in source.items where facts[item.admitted.item] == nil {
                let admitted = item.admitted
                guard !task.withdrawals.isGone(admitted, admitted: item.position, before: task.trigger.position) else { continue }
                let counts = source.isRetrieval && hasOwn ? 0 : admitted.tokens
                facts[admitted.item] = ItemFacts(
                    owner: admitted.owner, position: Int(clamping: item.position),
                    head: admitted.cluster == admitted.item ? item.head : admitted.cluster, tokens: counts,
                    uniqueTokens: item.unique ?? admitted.tokens)
                datanets[admitted.item] = item.datanet
                tokens[admitted.owner, default: [:]][item.datanet, default: 0] += counts
            }
        }
        return Table(facts: SnapshotItems(facts), datanets: datanets, tokens: tokens)
    }

    /// What of each owner's share is due to which Datanet: by the words that its items there gave, else by its admitted tokens.
    private func datanets(
        of owners: Set<String>, _ evidence: AttributionEvidence, _ table: Table
    ) -> [String: [String: Int]] {
        var given: [String: [String: Int]] = [:]
        for span in evidence.spans ?? [] where span.paidTokens > 0 {
            for earner in span.earners {
                if let datanet = table.datanets[earner.item] { given[earner.owner, default: [:]][datanet, default: 0] += span.paidTokens }
            }
        }
        for passage in evidence.passages ?? [] where passage.usedTokens > 0 {
            let item = table.facts.earner(for: passage.item)
            if let datanet = table.datanets[item] { given[passage.owner, default: [:]][datanet, default: 0] += passage.usedTokens }
        }
        var result: [String: [String: Int]] = [:]
        for owner in owners {
            let tokens = table.tokens[owner] ?? [:]
            let admitted = tokens.filter { $0.value > 0 }
            // Somebody with no tokens anywhere is due to where its first item is.
            result[owner] = given[owner] ?? (admitted.isEmpty ? tokens.min { $0.key < $1.key }.map { [$0.key: 1] } ?? [:] : admitted)
        }
        return result
    }
}
