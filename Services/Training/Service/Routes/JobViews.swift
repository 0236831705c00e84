internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import TrainingDomain
internal import Web

/// Jobs as callers see them.
struct JobViews: Sendable {
    let maker: DecisionMaker<TrainingState>
    let desk: JobDesk

    /// A job, for its owner alone.
    func view(_ id: String, for caller: Caller) async throws -> JSONValue { await view(try await job(id, for: caller)) }

    /// A job, for its owner, and for who may read all jobs.
    func job(_ id: String, for caller: Caller) async throws -> TrainingJob {
        let known = try await maker.find { state in state.jobs[id].map { (job: $0, owner: state.owner(of: $0)) } }
        guard let (job, owner) = known, [job.request.owner, owner].contains(caller.subject) || caller.has("jobs:read") else {
            throw TrainingError.notFound("job \(id)")
        }
        return job
    }

    /// A job whose adapter is the caller's: who ordered it, until the adapter was handed over with a model, and who got it then.
    func owned(_ id: String, by caller: Caller) async throws -> TrainingJob {
        let known = try await maker.find { state in state.jobs[id].map { (job: $0, owner: state.owner(of: $0)) } }
        guard let (job, owner) = known, owner == caller.subject || caller.has("jobs:read") else {
            throw TrainingError.notFound("job \(id)")
        }
        return job
    }

    /// A job, also for who may learn from all of its data: such a person can repeat it.
    func replayable(_ id: String, for caller: Caller) async throws -> TrainingJob {
        let subject = caller.subject
        let known = try await maker.query { state -> (job: TrainingJob, mayTrain: Bool)? in
            guard let job = state.jobs[id] else { return nil }
            return (job, job.request.snapshots.allSatisfy { state.mayTrain(subject, on: $0.datanet, at: state.latest) })
        }
        guard let known, known.mayTrain || known.job.request.owner == subject || caller.has("jobs:read") else {
            throw TrainingError.notFound("job \(id)")
        }
        return known.job
    }

    func view(_ job: TrainingJob) async -> JSONValue {
        let progress = await desk.progress(of: job.request.job)
        var reason = job.reason
        if job.status == .queued { reason = job.released?.reason }
        if !job.status.isOver { reason = (try? await maker.query { TrainingRules.missingGrant(of: job, $0, at: $0.latest) }) ?? reason }
        if job.status == .queued, reason == nil {
            let busy = try? await maker.query { state in
                Set(
                    state.open.compactMap { state.jobs[$0] }.filter { $0.status == .running || $0.status == .checking }.compactMap(\.runner)
                )
            }
            reason = await desk.lacking(job.request, busy: busy ?? [])
        }
        return .members([
            "job": .string(job.request.job), "status": .string(job.status.rawValue), "base": .string(job.request.base),
            "snapshots": .array(job.request.snapshots.map(\.json)), "settings": .digest(job.request.settings), "fee": job.request.fee.json,
            "hold": job.request.hold.map { .string($0) }, "created": .string(job.time.description), "attempt": .count(job.attempt),
            "runner": job.runner.map { .string($0) }, "checkpoint": job.checkpoint.map { .count($0.step) },
            "reason": reason.map { .string($0) },
            "adapter": job.completed.map { .digest($0.adapter) }, "record": job.completed.map { .digest($0.record) },
            "tokens": job.completed.map { .count($0.tokens) }, "progress": progress?.report,
            "checked": job.checked.map {
                .members([
                    "agrees": .bool($0.agrees), "runner": .string($0.runner), "method": .string($0.method),
                    "reason": $0.reason.map { .string($0) },
                ])
            },
            "replaces": job.request.replaces.map { .string($0) }, "without": job.request.without.map { .digest($0) },
        ])
    }
}
