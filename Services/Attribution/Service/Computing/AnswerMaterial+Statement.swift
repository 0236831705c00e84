internal import AttributionDomain
internal import Crypto
internal import Events

extension AnswerMaterial {
    /// Computes the attribution. The same material gives the same statement.
    /// - Throws: `AttributionError`; for rules that are not known here a newer program is needed.
    func statement() throws -> AttributionStatement {
        return try table.statement(
            attribution, of: task.inference, at: task.trigger.position, model: task.model, missing: missing,
            computed: try computed(table.items), names: task.owners)
    }

    /// What the methods found; nil where there is nobody to credit.
    private func computed(_ items: SnapshotItems) throws -> AttributionEvidence? {
        guard let published = task.model?.attribution, !items.facts.isEmpty else { return nil }
        do {
            return try Attribution.compute(
                answer: try answer ?? WordSequence(""), prompt: try prompt ?? WordSequence(""), index: answer == nil ? nil : spans,
                influence: influence.first.map { InfluenceInput(checkpoints: influence, canaries: Canary.names(among: $0.items)) },
                retrieval: answer == nil ? [] : passages,
                items: items, policy: try AttributionDomain.AttributionPolicy(published)
            ).evidence
        } catch AttributionError.nobodyToCredit {
            return nil
        }
    }
}
