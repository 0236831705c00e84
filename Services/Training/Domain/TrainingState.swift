public import Decisions
public import Events
internal import JSON

/// What training must remember: models, jobs, and which data may be learned from by whom.
public struct TrainingState: ServiceState {
    /// Base models by name.
    public private(set) var bases: [String: BaseModelRegistered] = [:]
    /// Jobs by id.
    public private(set) var jobs: [String: TrainingJob] = [:]
    /// Jobs that are not over, in the order they came.
    public private(set) var open: [String] = []
    /// Versions of a model by its name, the first being version 1.
    public private(set) var models: [String: [ModelVersion]] = [:]
    /// Published snapshots by Datanet, the first being number 1.
    public private(set) var snapshots: [String: [SnapshotPublished]] = [:]
    /// Datanets' owners and members that may learn from them without a grant.
    public private(set) var insiders: [String: Set<String>] = [:]
    /// Who may learn from a Datanet, by its id, until when.
    public private(set) var grants: [String: [AccessGranted]] = [:]
    /// When each snapshot was published, by its id.
    public private(set) var published: [String: Timestamp] = [:]
    /// What was withdrawn or erased.
    public private(set) var takenBack = TakenBack()
    /// The jobs that repeat a job, in the order they came.
    public private(set) var replacements: [String: [String]] = [:]

    /// Runners that are not the house's own.
    public private(set) var runners = RunnerBook()

    /// Whoever began a job.
    private var workers: Set<String> = []
    /// To whom the adapter of a job was handed over, with a model.
    public private(set) var heirs: [String: String] = [:]
    /// Who is registered.
    public private(set) var principals: Set<String> = []

    /// The greatest time of the events that it folds.
    public private(set) var latest = Timestamp(microseconds: 0)

    /// Nothing yet.
    public init() {}

    private static let types: Set<String> = [
        BaseModelRegistered.type, JobRequested.type, JobStarted.type, JobCheckpointed.type, JobCompleted.type, JobFailed.type,
        JobCancelled.type, JobPaused.type, JobResumed.type, ModelPublished.type, ModelRetired.type, SnapshotPublished.type,
        DatanetCreated.type, MemberGranted.type, MemberRevoked.type, AccessGranted.type, AccessRevoked.type, ContributionWithdrawn.type,
        ContentErased.type, JobDelivered.type, JobChecked.type, RunnerRegistered.type, StakeBonded.type, StakeUnbonded.type,
        StakeSlashed.type, JobReleased.type, ModelHandedOver.type, PrincipalRegistered.type,
    ]

    /// The types that it folds.
    public static func concerns(_ type: String) -> Bool { types.contains(type) }

    /// Folds one event.
    public mutating func apply(_ fact: Fact) throws {
        let data = try fact.data.object()
        latest = max(latest, fact.time)
        switch fact.type {
        case BaseModelRegistered.type:
            let base = try BaseModelRegistered(data)
            bases[base.model] = base
        case ModelPublished.type:
            let terms = try ModelPublished(data)
            models[terms.model, default: []].append(ModelVersion(terms: terms, time: fact.time))
        case ModelRetired.type: try retire(ModelRetired(data))
        case SnapshotPublished.type:
            let snapshot = try SnapshotPublished(data)
            snapshots[snapshot.datanet, default: []].append(snapshot)
            published[snapshot.snapshot] = fact.time
        case ContributionWithdrawn.type: takenBack.add(try ContributionWithdrawn(data), at: fact.time)
        case ContentErased.type: takenBack.add(try ContentErased(data), at: fact.time)
        case DatanetCreated.type, MemberGranted.type, MemberRevoked.type, AccessGranted.type, AccessRevoked.type:
            try applyAccess(fact.type, data)
        case ModelHandedOver.type:
            let handed = try ModelHandedOver(data)
            if let job = model(handed.model)?.job { heirs[job] = handed.to }
        case PrincipalRegistered.type: principals.insert(try PrincipalRegistered(data).principal)
        case RunnerRegistered.type: runners.add(try RunnerRegistered(data))
        case StakeBonded.type: runners.add(try StakeBonded(data))
        case StakeUnbonded.type: runners.add(try StakeUnbonded(data))
        case StakeSlashed.type: runners.add(try StakeSlashed(data))
        default: try applyJob(fact, data)
        }
    }

    private mutating func retire(_ retired: ModelRetired) throws {
        guard var versions = models[retired.model] else { throw TrainingError.notFound("model \(retired.model)") }
        for index in versions.indices where retired.version == nil || retired.version == index + 1 { versions[index].isRetired = true }
        models[retired.model] = versions
    }

    private mutating func applyAccess(_ type: String, _ data: JSONFields) throws {
        switch type {
        case DatanetCreated.type:
            let created = try DatanetCreated(data)
            insiders[created.datanet, default: []].insert(created.owner)
        case MemberGranted.type:
            let member = try MemberGranted(data)
            if Self.insiderRoles.contains(member.role) { insiders[member.datanet, default: []].insert(member.principal) }
        case MemberRevoked.type:
            let member = try MemberRevoked(data)
            if Self.insiderRoles.contains(member.role) { insiders[member.datanet, default: []].remove(member.principal) }
        case AccessGranted.type:
            let grant = try AccessGranted(data)
            grants[grant.datanet, default: []].append(grant)
        default:
            let revoked = try AccessRevoked(data)
            grants[revoked.datanet]?.removeAll { $0.grant == revoked.grant }
        }
    }

    private static let insiderRoles: Set<String> = ["owner", "curator"]

    /// Whether a runner besides this one might do a job: one of the house's own that has worked, or one that joined and has what it needs.
    func hasOther(than runner: String, for job: TrainingJob) -> Bool {
        workers.union(runners.registered.keys).contains { other in
            guard other != runner, !job.refused.contains(other) else { return false }
            guard let known = runners.registered[other] else { return true }
            return known.bases.contains(job.request.base) && job.request.needs.allSatisfy { known.features.contains($0) }
                && job.request.snapshots.allSatisfy { mayTrain(other, on: $0.datanet, at: latest) }
        }
    }

    private mutating func applyJob(_ fact: Fact, _ data: JSONFields) throws {
        if fact.type == JobRequested.type {
            let request = try JobRequested(data)
            jobs[request.job] = TrainingJob(request: request, time: fact.time)
            open.append(request.job)
            if let replaced = request.replaces { replacements[replaced, default: []].append(request.job) }
            return
        }
        let id = try data.id("job")
        guard var job = jobs[id] else { throw TrainingError.notFound("job \(id)") }
        switch fact.type {
        case JobStarted.type:
            let started = try JobStarted(data)
            (job.status, job.runner, job.attempt) = (.running, started.runner, started.attempt)
            workers.insert(started.runner)
            (job.begun, job.lapses, job.delivered, job.deliveredAt) = (fact.time, job.lapses + 1, nil, nil)
            job.started = job.started ?? fact.time
            // What somebody's own runner left is a beginning for that runner alone: nobody has looked at it.
            if let left = job.checkpointRunner, left != started.runner, runners.registered[left] != nil {
                (job.checkpoint, job.checkpointRunner) = (nil, nil)
            }
        case JobCheckpointed.type:
            (job.checkpoint, job.checkpointRunner) = (try JobCheckpointed(data), job.runner)
            if job.runner.map({ runners.registered[$0] == nil }) ?? false { job.lapses = 0 }
        case JobReleased.type:
            let released = try JobReleased(data)
            (job.status, job.released) = (.queued, TrainingJob.Release(time: fact.time, reason: released.reason))
            if runners.registered[released.runner] != nil { job.refused.insert(released.runner) }
        case JobDelivered.type: (job.status, job.delivered, job.deliveredAt) = (.checking, try JobDelivered(data), fact.time)
        case JobChecked.type:
            let checked = try JobChecked(data)
            job.checked = checked
            // Another begins anew: whoever hands in something else than it says may have left such a checkpoint too.
            if !checked.agrees { (job.status, job.checkpoint, job.checkpointRunner) = (.queued, nil, nil) }
            if !checked.agrees, checked.reason != JobChecked.takenBack { job.refused.insert(checked.runner) }
        case JobCompleted.type: (job.status, job.completed) = (.succeeded, try JobCompleted(data))
        case JobPaused.type: job.status = .paused
        case JobResumed.type: (job.status, job.lapses) = (.queued, 0)
        case JobFailed.type: (job.status, job.reason) = (.failed, try JobFailed(data).reason)
        default: job.status = .cancelled
        }
        if job.status.isOver { job.ended = fact.time }
        jobs[id] = job
        if job.status.isOver { open.removeAll { $0 == id } }
    }
}
