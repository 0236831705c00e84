internal import Crypto
public import Decisions
public import Events
internal import JSON
internal import Money
public import Replay

/// Decides everything that training did again: who may learn from what, each job's way, whose data it learned from, and models' terms.
public struct TrainingLaw: ReplayLaw {
    /// Training's.
    public static let service = Service.training

    private let evidence: EvidenceShelf

    /// Reads evidence there.
    public init(_ evidence: EvidenceShelf) { self.evidence = evidence }

    /// Nothing yet.
    public func makeState() -> TrainingState { TrainingState() }

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: TrainingState, _ moment: DecisionContext) throws -> Verdict {
        switch append.first.type {
        case BaseModelRegistered.type:
            var data: BaseModelRegistered = try append.data(BaseModelRegistered.self)
            data.owner = moment.actor
            return Verdict(
                try TrainingRules.register(data)(state, moment),
                gaps: [ReplayGap("models' weights", why: "artefacts are kept by training and not part of a bundle")])
        case JobRequested.type: return try request(append, state, moment)
        case JobStarted.type: return try lease(append, state, moment)
        case RunnerRegistered.type:
            var data: RunnerRegistered = try append.data(RunnerRegistered.self)
            data.runner = moment.actor
            return Verdict(try RunnerRules.register(data, stake: nil)(state, moment), gaps: [Self.stakes])
        case JobDelivered.type:
            let data: JobDelivered = try append.data(JobDelivered.self)
            let result = TrainingRules.Result(
                adapter: data.adapter, rows: data.rows, record: data.record, tokens: data.tokens, shares: .entries([]),
                engine: try engine(data.record, of: moment.actor, state))
            return Verdict(
                try RunnerRules.deliver(data.job, runner: moment.actor, attempt: try attempt(data.job, state), result)(state, moment))
        case JobChecked.type: return try check(append, state, moment)
        case JobPaused.type:
            let data: JobPaused = try append.data(JobPaused.self)
            return Verdict(try TrainingRules.pause(data.job, by: moment.actor)(state, moment))
        case JobResumed.type:
            let data: JobResumed = try append.data(JobResumed.self)
            return Verdict(try TrainingRules.resume(data.job, by: moment.actor)(state, moment))
        case JobCheckpointed.type:
            let data: JobCheckpointed = try append.data(JobCheckpointed.self)
            return Verdict(
                try TrainingRules.checkpoint(data, runner: moment.actor, attempt: try attempt(data.job, state))(state, moment))
        case JobCompleted.type: return try complete(append, state, moment)
        case JobFailed.type:
            let data: JobFailed = try append.data(JobFailed.self)
            let job = try TrainingRules.job(data.job, state)
            // Nobody's word but a runner's own ends what it works on; everything else was given up as another asked for work.
            guard append.facts.count == 1, job.status == .running, job.runner == moment.actor else {
                return try lease(append, state, moment)
            }
            return Verdict(
                try TrainingRules.fail(data.job, runner: moment.actor, attempt: try attempt(data.job, state), reason: data.reason)(
                    state, moment))
        case JobReleased.type:
            let data: JobReleased = try append.data(JobReleased.self)
            return Verdict(
                try TrainingRules.fail(data.job, runner: moment.actor, attempt: data.attempt, reason: data.reason, elsewhere: true)(
                    state, moment))
        case JobCancelled.type:
            let data: JobCancelled = try append.data(JobCancelled.self)
            return Verdict(try TrainingRules.cancel(data.job, by: moment.actor)(state, moment))
        case ModelPublished.type:
            var data: ModelPublished = try append.data(ModelPublished.self)
            data.owner = moment.actor
            return Verdict(try ModelRules.publish(data)(state, moment), checked: ["models' terms": 1])
        case ModelHandedOver.type:
            let data: ModelHandedOver = try append.data(ModelHandedOver.self)
            return Verdict(try ModelRules.handOver(data.model, to: data.to, by: moment.actor)(state, moment), checked: ["models' terms": 1])
        case ModelRetired.type:
            let data: ModelRetired = try append.data(ModelRetired.self)
            return Verdict(try ModelRules.retire(data.model, version: data.version, by: moment.actor)(state, moment))
        default: return .unknown
        }
    }

    private func attempt(_ job: String, _ state: TrainingState) throws -> Int { try TrainingRules.job(job, state).attempt }

    private func request(_ append: ReplayedAppend, _ state: TrainingState, _ moment: DecisionContext) throws -> Verdict {
        let data: JobRequested = try append.data(JobRequested.self)
        let settings = try TrainingSettings(try JSON.parse(try evidence.bytes(data.settings)).object())
        guard SHA256.hash(try JSON.canonical(settings.json)) == data.settings else {
            throw Unlawful("/settings names settings that are not written out as they are")
        }
        let request = TrainingRules.Request(
            owner: moment.actor, base: data.base, snapshots: data.snapshots.map { ($0.datanet, $0.number) }, settings: settings,
            settingsDigest: data.settings, price: .zero(data.fee.asset), hold: data.hold)
        // The price of a token is the operator's and not on the log; that the fee stays what was agreed is.
        let rule: DecisionMaker<TrainingState>.Rule
        if let repeated = data.replaces, let without = data.without {
            let items = try items(of: data.snapshots, state)
            guard SHA256.hash(try JSON.canonical(Withheld(from: try TrainingRules.job(repeated, state), items, state).json)) == without
            else {
                throw Unlawful("/without says otherwise what was taken back")
            }
            rule = TrainingRules.retrain(repeated, request, without: without, leftOut: 0)
        } else {
            rule = TrainingRules.request(request)
        }
        let events = try rule(state, moment).map { event -> NewEvent in
            var job = try JobRequested(try event.data.object())
            job.fee = data.fee
            return NewEvent(job, stream: event.stream)
        }
        guard !data.fee.isNegative else { throw Unlawful("/fee is below zero") }
        return Verdict(
            events, checked: ["jobs' settings": 1],
            gaps: [
                ReplayGap(
                    "prices of training", why: "what a million tokens cost is the operator's setting; the fee that was agreed is on the log"
                )
            ])
    }

    private func complete(_ append: ReplayedAppend, _ state: TrainingState, _ moment: DecisionContext) throws -> Verdict {
        let data: JobCompleted = try append.data(JobCompleted.self)
        let job = try TrainingRules.job(data.job, state)
        let shares = try shares(of: job, state).shares
        let result = TrainingRules.Result(
            adapter: data.adapter, rows: data.rows, record: data.record, tokens: data.tokens, shares: shares,
            engine: try engine(data.record, of: moment.actor, state))
        var gaps = [Self.learned]
        if state.runners.registered[moment.actor] != nil {
            guard !RunnerClaim.gainsNothing(try JSON.parse(try evidence.bytes(data.record))) else {
                throw Unlawful("/record says that nothing was gained, and nobody looked at the work")
            }
            gaps.append(
                ReplayGap("which work of others' runners is looked at", why: "it is drawn at random, so that nobody can foresee it"))
        }
        return Verdict(
            try TrainingRules.complete(data.job, runner: moment.actor, attempt: job.attempt, result)(state, moment),
            checked: ["training shares": shares.count], gaps: gaps)
    }

    /// What computed somebody's work, by its record; nobody asks the house's own.
    private func engine(_ record: Digest, of runner: String, _ state: TrainingState) throws -> String? {
        guard state.runners.registered[runner] != nil else { return nil }
        return RunnerClaim.engine(try JSON.parse(try evidence.bytes(record)))
    }

    private static let learned = ReplayGap(
        "what a training learned", why: "content and adapters are not part of a bundle; its record says how it was done")
    private static let stakes = ReplayGap("what runners must stake", why: "it is the operator's setting; what they staked is on the log")

    /// A look at somebody's work: what was found is the checker's word, what follows from it is computed again.
    private func check(_ append: ReplayedAppend, _ state: TrainingState, _ moment: DecisionContext) throws -> Verdict {
        let data: JobChecked = try append.data(JobChecked.self)
        let job = try TrainingRules.job(data.job, state)
        let record = try job.delivered.map { try JSON.parse(try evidence.bytes($0.record)) } ?? .null
        let finding: RunnerRules.Finding
        if data.method == "repeat", let found = data.found {
            guard RunnerClaim.isRepeatable(record) else {
                throw Unlawful("/method is repeat, and the work is of an engine that can't be repeated")
            }
            finding = .repeated(adapter: found, rows: data.foundRows)
        } else if let loss = data.measured, let base = data.base {
            guard (data.rowsAgree == nil) == (job.delivered?.rows == nil) else {
                throw Unlawful("/rows_agree must be there if attribution rows were handed in, and only then")
            }
            finding = .measured(
                loss: loss, base: base, claim: RunnerClaim.loss(record), rowsAgree: data.rowsAgree, heldOut: data.heldOut ?? true,
                reached: data.reached)
            guard data.reached != nil else {
                throw Unlawful("/reached is missing: by itself a loss does not tell one step of the training from all of it")
            }
        } else {
            throw Unlawful("/method names neither what was found nor what was measured")
        }
        let (shares, items) = try shares(of: job, state)
        return Verdict(
            try RunnerRules.check(data.job, by: moment.actor, finding, shares: shares, items: items)(state, moment),
            checked: data.agrees ? ["training shares": shares.count] : [:], gaps: [Self.learned])
    }

    /// A runner asked for work: it took a job, and what was begun too often or waited too long was given up.
    private func lease(_ append: ReplayedAppend, _ state: TrainingState, _ moment: DecisionContext) throws -> Verdict {
        let started = try append.find(JobStarted.self)
        let taken = try started.map { try TrainingRules.job($0.job, state) }
        let isHouses = state.runners.registered[moment.actor] == nil
        // Whatever else the runner has, it has this job's base; of those jobs it gets the first.
        var candidate = TrainingRules.Candidate(
            runner: moment.actor, bases: Set([taken?.request.base].compactMap { $0 }), features: Set(taken?.request.needs ?? []),
            isHouses: isHouses)
        for fact in append.facts {
            let job = try TrainingRules.job(try fact.data.object().id("job"), state)
            let isLooked = job.status == .checking && !job.isUnlooked(at: moment.logTime)
            if job.status == .running || isLooked { candidate.silent[job.request.job] = job.attempt }
        }
        var gaps =
            candidate.silent.isEmpty ? [] : [ReplayGap("runners that have gone silent", why: "their heartbeats are not on the log")]
        if !isHouses { gaps.append(Self.stakes) }
        return Verdict(try TrainingRules.lease(candidate)(state, moment), gaps: gaps)
    }

    /// The items of snapshots, as they were published.
    private func items(of references: [SnapshotReference], _ state: TrainingState) throws -> [SnapshotItems] {
        try references.map { reference in
            guard let snapshot = state.snapshot(reference.datanet, reference.number), snapshot.root == reference.root else {
                throw Unlawful("learned from snapshot \(reference.number) of \(reference.datanet), which was not published so")
            }
            return SnapshotItems(reference, try evidence.list(snapshot.list, of: AdmittedItem.self))
        }
    }

    /// Whose data a job learns from, by the snapshots' items.
    private func shares(
        of job: TrainingJob, _ state: TrainingState
    ) throws -> (shares: EvidenceList<AttributionShare>, items: [SnapshotItems]) {
        let all = try items(of: job.request.snapshots, state)
        // Who took theirs back has no part in what is learned from then on.
        let learned = all.map { part in
            let gone = Set(part.takenBack(state).map(\.item))
            return (datanet: part.reference.datanet, items: part.items.filter { !gone.contains($0.item) })
        }
        return (try EvidenceList.of(try TokenShares.of(learned)).0, all)
    }
}
