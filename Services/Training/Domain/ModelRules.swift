public import Decisions
public import Events
internal import Money

/// What is decided about published models.
public enum ModelRules {
    /// Publishes the next version of a model. Terms never reach back: an answer is paid by the version that gave it.
    public static func publish(_ draft: ModelPublished) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            try check(draft)
            guard state.bases[draft.base] != nil else { throw TrainingError.notFound("base model \(draft.base)") }
            let versions = state.models[draft.model] ?? []
            if let last = versions.last, last.terms.owner != draft.owner {
                throw TrainingError.forbidden("\(draft.model) belongs to somebody else")
            }
            var terms = draft
            terms.version = versions.count + 1
            if let id = draft.job {
                let job = try TrainingRules.job(id, state)
                guard state.owner(of: job) == draft.owner else { throw TrainingError.notFound("job \(id)") }
                guard let completed = job.completed else { throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)") }
                guard completed.base == draft.base else {
                    throw TrainingError.invalid(field: "/base", reason: "must be \(completed.base), which job \(id) started from")
                }
                terms.adapter = completed.adapter
                terms.snapshots = completed.snapshots
            } else {
                // Whose data is in it decides who is paid: only a training says so.
                (terms.adapter, terms.snapshots) = (nil, [])
            }
            try checkRetrieval(of: draft, state, context)
            return [NewEvent(terms, stream: try TrainingRules.stream("model", terms.model))]
        }
    }

    /// A model, or a version of it, may no longer be asked.
    public static func retire(_ name: String, version: Int?, by caller: String) -> DecisionMaker<TrainingState>.Rule {
        { state, _ in
            guard let versions = state.models[name], versions.last?.terms.owner == caller else {
                throw TrainingError.notFound("model \(name)")
            }
            if let version, version < 1 || version > versions.count { throw TrainingError.notFound("version \(version) of \(name)") }
            let isOver = version.map { versions[$0 - 1].isRetired } ?? versions.allSatisfy(\.isRetired)
            guard !isOver else { throw TrainingError.wrongState("it is retired already") }
            return [NewEvent(ModelRetired(model: name, version: version), stream: try TrainingRules.stream("model", name))]
        }
    }

    /// A model gets a new owner, and so does the adapter that it has: from then on the new one alone publishes it, reads it and has it made
    /// again. It is published anew, on the same terms, as a version that earns for that owner; the versions before,
    /// which earn for the old one, may no longer be asked.
    public static func handOver(_ name: String, to owner: String, by caller: String) -> DecisionMaker<TrainingState>.Rule {
        { state, context in
            guard let versions = state.models[name], versions.last?.terms.owner == caller else {
                throw TrainingError.notFound("model \(name)")
            }
            guard owner != caller else { throw TrainingError.invalid(field: "/to", reason: "must be somebody else") }
            guard state.principals.contains(owner) else {
                throw TrainingError.invalid(field: "/to", reason: "must be registered: \(owner) is not")
            }
            guard var terms = state.model(name) else { throw TrainingError.wrongState("all versions of \(name) are retired") }
            terms.owner = owner
            terms.version = versions.count + 1
            try checkRetrieval(of: terms, state, context)
            let stream = try TrainingRules.stream("model", name)
            let retired = versions.indices.filter { !versions[$0].isRetired }
            return [
                NewEvent(ModelHandedOver(model: name, from: caller, to: owner, version: terms.version), stream: stream),
                NewEvent(terms, stream: stream),
            ] + retired.map { NewEvent(ModelRetired(model: name, version: $0 + 1), stream: stream) }
        }
    }

    /// Whether the owner may have passages looked up where the terms say.
    private static func checkRetrieval(of terms: ModelPublished, _ state: TrainingState, _ context: DecisionContext) throws {
        for datanet in terms.retrieval {
            guard state.snapshots[datanet] != nil else { throw TrainingError.notFound("published snapshot of \(datanet)") }
            let mayRetrieve =
                state.mayTrain(terms.owner, on: datanet, at: context.logTime)
                || (state.grants[datanet] ?? []).contains {
                    $0.grantee == terms.owner && $0.purpose == "retrieve" && $0.expires.map { $0 > context.logTime } ?? true
                }
            guard mayRetrieve else { throw TrainingError.forbidden("\(terms.owner) has no grant to retrieve from \(datanet)") }
        }
    }

    /// What must hold of any terms.
    static func check(_ terms: ModelPublished) throws(TrainingError) {
        guard isName(terms.model) else {
            throw .invalid(field: "/model", reason: "must be <owner>/<name> of a-z, 0-9, - and ., at most 64 characters each")
        }
        let split = terms.split
        guard [split.owner, split.datanets, split.contributors, split.validators, split.compute].reduce(0, +) == 10_000 else {
            throw .invalid(field: "/split", reason: "must add up to 10,000 basis points")
        }
        let policy = terms.attribution
        guard AttributionPolicy.knownRules.contains(policy.rules) else {
            throw .invalid(field: "/attribution/rules", reason: "must be one of \(AttributionPolicy.knownRules.joined(separator: ", "))")
        }
        guard policy.spans + policy.influence + policy.retrieval == 10_000 else {
            throw .invalid(field: "/attribution", reason: "must have weights that add up to 10,000 basis points")
        }
        guard policy.threshold <= 1_000_000_000, policy.cap >= 1, policy.cap <= 1_000_000_000 else {
            throw .invalid(field: "/attribution", reason: "must have a threshold and a cap of at most 10^9")
        }
        guard ["tokens", "owner"].contains(policy.fallback) else {
            throw .invalid(field: "/attribution/fallback", reason: "must be tokens or owner")
        }
        guard (1...1_000).contains(policy.minimumSpan) else {
            throw .invalid(field: "/attribution/minimum_span", reason: "must be from 1 to 1,000 tokens")
        }
        let price = terms.price
        guard price.request.asset == price.input.asset, price.input.asset == price.output.asset else {
            throw .invalid(field: "/price", reason: "must be in one asset")
        }
        guard !price.request.isNegative, !price.input.isNegative, !price.output.isNegative else {
            throw .invalid(field: "/price", reason: "must not be negative")
        }
    }

    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.count <= 64 && part.first != "." && part.first != "-"
                    && part.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
            }
    }
}
