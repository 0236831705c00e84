internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import HTTPClient
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// The runner protocol: a worker leases a job, fetches its rows, says how far it is, and hands in what it made.
struct RunnerRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let desk: JobDesk
    let items: JobItems
    let evidence: EvidenceStore
    let artefacts: ArtefactStore
    let peers: Peers
    let joining: RunnerJoining

    var routes: [Route] { [lease, rows, heartbeat, checkpoint, complete, fail] }

    /// The house's own runners by their scope; others by having joined, which every call looks at.
    private static let access = Access.authenticated
    private static let problems = TrainingProblems.all + DecisionError.problemTypes
    private static let attempt: Schema = .integer(1...1_000_000)

    private var lease: Route {
        Route(
            .post, "/v1/runners/leases", operation: "leaseJob",
            summary: "Takes the next job, waiting for one when asked to. The same request again is answered with the same lease.",
            access: Self.access, query: [LongPoll.parameter(atMost: 30)],
            body: .json(
                .openObject(
                    .optional("bases", .list(.text(1...100), atMost: 200), "The base models that the runner has; any when left out."),
                    .optional("features", .list(.text(1...100), atMost: 20), "What it can do besides, such as int8; any when left out."),
                    .optional("declined", .list(.text(1...100), atMost: 1_000), "Jobs that the runner found it can't do."),
                    .optional("checks", .boolean, "Whether it looks at others' work when there is no job (scope runners:check)."))
            ), idempotency: .required,
            replies: [.json(200, "What is to be done.", .any), .empty(204, "There is nothing to do.")], problems: Self.problems
        ) { [desk] context in
            let (candidate, checks) = try await candidate(context)
            await desk.asks(candidate)
            do {
                let found = try await found(context, candidate, checks)
                await desk.asked(candidate.runner)
                guard let found else { return .noContent }
                return .json(found)
            } catch {
                await desk.asked(candidate.runner)
                throw error
            }
        }
    }

    private func found(_ context: RequestContext, _ candidate: TrainingRules.Candidate, _ checks: Bool) async throws -> JSONValue? {
        // Looks once in any case, then whenever something has changed.
        if let order = try await next(context, candidate, checks) { return order }
        return try await LongPoll.run(atMost: LongPoll.wait(context.query)) { () -> JSONValue? in
            for await _ in await desk.changes() {
                if let order = try await next(context, candidate, checks) { return order }
            }
            return nil
        }
    }

    private func candidate(_ context: RequestContext) async throws -> (TrainingRules.Candidate, checks: Bool) {
        let (bases, features, declined, checks) = try context.decode { json in
            let fields = try json.object()
            let bases = try fields.optionalArray("bases", count: 0...200)?.map { try $0.string(bytes: 1...100) }
            let features = try fields.optionalArray("features", count: 0...20)?.map { try $0.string(bytes: 1...100) }
            let declined = try fields.optionalArray("declined", count: 0...1_000)?.map { try $0.string(bytes: 1...100) }
            return (bases, features, declined, try fields.optionalBool("checks") ?? false)
        }
        let isHouses = try await joining.admit(context)
        let candidate = TrainingRules.Candidate(
            runner: try context.caller.subject, bases: bases.map { Set($0) }, features: features.map { Set($0) }, isHouses: isHouses,
            stake: joining.stake, cover: joining.cover, declined: Set(declined ?? []))
        return (candidate, try checks && context.caller.has(RunnerJoining.checking))
    }

    /// A job to do, or somebody's work to look at: by turns, so that neither waits for ever.
    private func next(_ context: RequestContext, _ candidate: TrainingRules.Candidate, _ checks: Bool) async throws -> JSONValue? {
        if checks, await desk.looksFirst(candidate.runner), let work = try await look(candidate) { return work }
        if let job = try await start(context, candidate) {
            await desk.gave(candidate.runner, look: false)
            return try await order(job)
        }
        guard checks else { return nil }
        return try await look(candidate)
    }

    private func look(_ candidate: TrainingRules.Candidate) async throws -> JSONValue? {
        let waiting = try await maker.query { state in
            state.open.compactMap { state.jobs[$0] }.filter {
                $0.status == .checking && candidate.bases?.contains($0.request.base) ?? true && $0.delivered?.runner != candidate.runner
            }
        }
        for job in waiting {
            if let work = job.delivered, await desk.takeCheck(job.request.job, attempt: job.attempt) {
                await desk.gave(candidate.runner, look: true)
                return try await order(job, work)
            }
        }
        return nil
    }

    private func start(_ context: RequestContext, _ candidate: TrainingRules.Candidate) async throws -> TrainingJob? {
        var candidate = candidate
        candidate.silent = try await desk.silent()
        let outcome = try await context.decide(maker, TrainingRules.lease(candidate))
        guard !outcome.facts.isEmpty else { return nil }
        guard outcome.facts.contains(where: { $0.fact.type == JobStarted.type }) else {
            throw TrainingError.wrongState("jobs were given up, and none is left: ask anew")
        }
        let started = try outcome.first(JobStarted.self)
        let job = try await maker.find { $0.jobs[started.job] }
        guard let job else { throw TrainingError.notFound("job \(started.job)") }
        // The answer to an earlier request may have been lost, and the job have gone on without its runner.
        if outcome.isRepeat, job.status != .running || job.attempt != started.attempt {
            throw TrainingError.wrongState("job \(started.job) is \(job.status.rawValue), attempt \(job.attempt): ask anew")
        }
        await desk.heard(started.job, attempt: started.attempt, .null)
        return job
    }

    private func order(_ job: TrainingJob, _ work: JobDelivered? = nil) async throws -> JSONValue {
        let settings = try await evidence.value(job.request.settings)
        let base = try await maker.find { $0.bases[job.request.base] }
        return .members([
            "job": .string(job.request.job), "attempt": .count(job.attempt), "base": .string(job.request.base),
            "base_artefact": base.map { .digest($0.artefact) }, "snapshots": .array(job.request.snapshots.map(\.json)),
            "settings": settings,
            "checkpoint": work == nil ? job.checkpoint.map { .digest($0.checkpoint) } : nil,
            "checkpoint_step": work == nil ? job.checkpoint.map { .count($0.step) } : nil,
            "lease_seconds": .int(desk.lease.components.seconds), "check": try await claimed(work),
        ])
    }

    private func claimed(_ work: JobDelivered?) async throws -> JSONValue? {
        guard let work else { return nil }
        return .members([
            "adapter": .digest(work.adapter), "rows": work.rows.map { .digest($0) }, "record": try await evidence.value(work.record),
        ])
    }

    private var rows: Route {
        Route(
            .get, "/v1/runners/jobs/{job}/rows", operation: "readRows",
            summary: "The rows of one of the job's snapshots, as the Datanet gives them, one JSON object a line.", access: Self.access,
            query: [QueryParameter("snapshot", .integer(0...19), "Which of the job's snapshots; the first when left out.")],
            replies: [.content(200, "Rows.", type: "application/x-ndjson")], problems: Self.problems
        ) { [maker, peers, joining] context in
            let runner = try context.caller.subject
            let id = context.path["job"]
            let job = try await maker.find { $0.jobs[id] }
            let checks = try context.caller.has(RunnerJoining.checking)
            if let job, job.status == .running {
                let isHouses = try await joining.admit(context)
                let reason = try await maker.query {
                    TrainingRules.missingGrant(of: job, runner: runner, isHouses: isHouses, $0, at: $0.latest)
                }
                if job.runner == runner, let reason { throw TrainingError.forbidden(reason) }
            }
            guard let job, (job.status == .running && job.runner == runner) || (job.status == .checking && checks) else {
                throw TrainingError.notFound("job \(id) of this runner")
            }
            let index = context.query.integer("snapshot") ?? 0
            guard index < job.request.snapshots.count else { throw TrainingError.notFound("snapshot \(index) of job \(id)") }
            let snapshot = job.request.snapshots[index]
            let answer = try await peers.open(
                "GET", .datanet, "/v1/datanets/\(snapshot.datanet)/snapshots/\(snapshot.number)/items?purpose=train", limit: 4 << 30)
            guard answer.status == 200 else {
                throw Problem(
                    TrainingProblems.upstream,
                    "the Datanet answered \(answer.status) for snapshot \(snapshot.number) of \(snapshot.datanet)")
            }
            return Response(
                headers: ["Content-Type": "application/x-ndjson"],
                body: .stream { writer in for try await piece in answer.body { try await writer.write(piece) } })
        }
    }

    private var heartbeat: Route {
        Route(
            .post, "/v1/runners/jobs/{job}/heartbeat", operation: "reportProgress",
            summary: "Keeps the lease, and says how far the job is.",
            access: Self.access,
            body: .json(
                .object(
                    .required("attempt", Self.attempt), .required("step", .count), .required("steps", .count),
                    .optional("loss_micros", .count, "Training loss in millionths."),
                    .optional("holdout_loss_micros", .count, "Loss on the held-out rows in millionths."), .optional("tokens", .count),
                    .optional("message", .text(0...500)))),
            replies: [
                .json(
                    200, "Whether to go on.",
                    .object(
                        .required("go_on", .boolean),
                        .required("checkpoint", .boolean, "Whether to leave a checkpoint before stopping: the job was halted.")))
            ], problems: Self.problems
        ) { [maker, desk] context in
            let runner = try context.caller.subject
            let id = context.path["job"]
            let known = try await maker.find { state in state.jobs[id].map { ($0, state.bases[$0.request.base]?.parameters) } }
            guard let (job, parameters) = known else { throw TrainingError.notFound("job \(id)") }
            let attempt = try context.decode { try $0.object().int("attempt") }
            if job.status == .checking, try context.caller.has(RunnerJoining.checking) {
                await desk.keepCheck(id)
                return .json(["go_on": true, "checkpoint": false])
            }
            let isIts = job.runner == runner && job.attempt == attempt
            // Whose grant has ended halts its job; whose runner may see the data no more loses it.
            let (isHalted, isShut) = try await maker.query { state in
                let isHouses = state.runners.registered[runner] == nil
                let isHalted = TrainingRules.missingGrant(of: job, state, at: state.latest) != nil
                let all = TrainingRules.missingGrant(of: job, runner: runner, isHouses: isHouses, state, at: state.latest)
                return (isHalted, all != nil)
            }
            if job.status == .running, isIts, isShut { return .json(["go_on": false, "checkpoint": .bool(isHalted)]) }
            let goesOn = job.status == .running && isIts
            if goesOn { await desk.heard(id, attempt: attempt, context.json, parameters: parameters) }
            return .json(["go_on": .bool(goesOn), "checkpoint": .bool(job.status == .paused && isIts)])
        }
    }

    private var checkpoint: Route {
        Route(
            .post, "/v1/runners/jobs/{job}/checkpoint", operation: "recordCheckpoint", summary: "Another runner could go on from here.",
            access: Self.access,
            body: .json(
                .object(
                    .required("attempt", Self.attempt), .required("step", .count), .required("checkpoint", .text(.sha256)),
                    .required("metrics", .any, "Figures up to here, whole numbers only."))),
            idempotency: .required, replies: [.empty(204, "It is recorded.")], problems: Self.problems
        ) { [maker, evidence, artefacts, joining] context in
            let fields = try context.decode { try $0.object() }
            let (attempt, step, digest) = try context.decode { _ in
                (try fields.int("attempt"), try fields.count("step"), try fields.digest("checkpoint"))
            }
            let isHouses = try await joining.admit(context)
            try await artefacts.check(manifest: digest)
            if !isHouses { try await artefacts.requireOwn(digest, of: try context.caller.subject) }
            let metrics = try await evidence.put(try fields.field("metrics").value)
            _ = try await context.decide(
                maker,
                TrainingRules.checkpoint(
                    JobCheckpointed(job: context.path["job"], step: step, checkpoint: digest, metrics: metrics.hash),
                    runner: try context.caller.subject, attempt: attempt))
            return .noContent
        }
    }

    private var complete: Route {
        Route(
            .post, "/v1/runners/jobs/{job}/complete", operation: "completeJob", summary: "Hands in the adapter.", access: Self.access,
            body: .json(
                .object(
                    .required("attempt", Self.attempt), .required("adapter", .text(.sha256), "The artefact's manifest, uploaded before."),
                    .optional("rows", .text(.sha256), "Artefact with the attribution rows of the training items."),
                    .required("tokens", .count), .required("record", .any, "Kernel level, threads, seed, losses; whole numbers only."))),
            idempotency: .required, replies: [.empty(204, "The job is done.")], problems: Self.problems
        ) { [maker, items, evidence, artefacts, joining] context in
            let id = context.path["job"]
            let isHouses = try await joining.admit(context)
            let fields = try context.decode { try $0.object() }
            let (attempt, adapter, rows, tokens) = try context.decode { _ in
                (try fields.int("attempt"), try fields.digest("adapter"), try fields.optionalDigest("rows"), try fields.count("tokens"))
            }
            try await artefacts.check(manifest: adapter)
            if let rows { try await artefacts.check(manifest: rows) }
            if !isHouses {
                for made in [adapter, rows].compactMap({ $0 }) { try await artefacts.requireOwn(made, of: try context.caller.subject) }
            }
            let job = try await maker.find { $0.jobs[id] }
            guard let job else { throw TrainingError.notFound("job \(id)") }
            if let rows, job.status == .running { try await RowTables(artefacts: artefacts, items: items).require(rows, of: job) }
            let shares = try await items.shares(of: job)
            let told = try fields.field("record").value
            let record = try await evidence.put(told)
            let result = TrainingRules.Result(
                adapter: adapter, rows: rows, record: record.hash, tokens: tokens, shares: shares, engine: RunnerClaim.engine(told))
            let runner = try context.caller.subject
            // Drawn anew each time, so that nobody can foresee it; a repeated command gets its first answer. What is of no use by its own
            // word is looked at in any case: nobody shall be paid for it by luck.
            let isLookedAt = !isHouses && (RunnerClaim.gainsNothing(told) || joining.draws())
            _ = try await context.decide(
                maker,
                isLookedAt
                    ? RunnerRules.deliver(id, runner: runner, attempt: attempt, result)
                    : TrainingRules.complete(id, runner: runner, attempt: attempt, result))
            return .noContent
        }
    }

    private var fail: Route {
        Route(
            .post, "/v1/runners/jobs/{job}/fail", operation: "failJob", summary: "The job can't be done, by this runner or by any.",
            access: Self.access,
            body: .json(
                .object(
                    .required("attempt", Self.attempt), .required("reason", .text(1...200)),
                    .optional("elsewhere", .boolean, "Whether another runner might do it; of others' runners it is always taken so."))),
            idempotency: .required, replies: [.empty(204, "It is recorded.")], problems: Self.problems
        ) { [maker] context in
            let (attempt, reason, elsewhere) = try context.decode { json in
                let fields = try json.object()
                return (try fields.int("attempt"), try fields.string("reason"), try fields.optionalBool("elsewhere") ?? false)
            }
            _ = try await context.decide(
                maker,
                TrainingRules.fail(
                    context.path["job"], runner: try context.caller.subject, attempt: attempt, reason: reason, elsewhere: elsewhere))
            return .noContent
        }
    }
}
