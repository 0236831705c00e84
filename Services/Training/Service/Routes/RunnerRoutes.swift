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

    var routes: [Route] { [lease, rows, heartbeat, checkpoint, complete, fail] }

    private static let access = Access.scope("runners:work")
    private static let problems = TrainingProblems.all + DecisionError.problemTypes
    private static let attempt: Schema = .integer(1...1_000_000)

    private var lease: Route {
        Route(
            .post, "/v1/runners/leases", operation: "leaseJob",
            summary: "Takes the next job, waiting for one when asked to. The same request again is answered with the same lease.",
            access: Self.access, query: [LongPoll.parameter(atMost: 30)],
            body: .json(
                .openObject(
                    .optional("bases", .list(.text(1...100), atMost: 200), "The base models that the runner has; any when left out."))
            ), idempotency: .required,
            replies: [.json(200, "What is to be done.", .any), .empty(204, "There is nothing to do.")], problems: Self.problems
        ) { [desk] context in
            let bases = try context.decode { try $0.object().optionalArray("bases", count: 0...200)?.map { try $0.string(bytes: 1...100) } }
            let candidate = TrainingRules.Candidate(runner: try context.caller.subject, bases: bases.map { Set($0) })
            // Looks once in any case, then whenever something has changed.
            if let job = try await start(context, candidate) { return .json(try await order(job)) }
            let wait = LongPoll.wait(context.query)
            let found = try await LongPoll.run(atMost: wait) { () -> TrainingJob? in
                for await _ in await desk.changes() {
                    if let job = try await start(context, candidate) { return job }
                }
                return nil
            }
            guard let found else { return .noContent }
            return .json(try await order(found))
        }
    }

    private func start(_ context: RequestContext, _ candidate: TrainingRules.Candidate) async throws -> TrainingJob? {
        var candidate = candidate
        candidate.silent = try await desk.silent()
        let outcome = try await context.decide(maker, TrainingRules.lease(candidate))
        guard !outcome.facts.isEmpty else { return nil }
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

    private func order(_ job: TrainingJob) async throws -> JSONValue {
        let settings = try await evidence.value(job.request.settings)
        let base = try await maker.find { $0.bases[job.request.base] }
        return .members([
            "job": .string(job.request.job), "attempt": .count(job.attempt), "base": .string(job.request.base),
            "base_artefact": base.map { .digest($0.artefact) }, "snapshots": .array(job.request.snapshots.map(\.json)),
            "settings": settings,
            "checkpoint": job.checkpoint.map { .digest($0.checkpoint) }, "checkpoint_step": job.checkpoint.map { .count($0.step) },
            "lease_seconds": .int(desk.lease.components.seconds),
        ])
    }

    private var rows: Route {
        Route(
            .get, "/v1/runners/jobs/{job}/rows", operation: "readRows",
            summary: "The rows of one of the job's snapshots, as the Datanet gives them, one JSON object a line.", access: Self.access,
            query: [QueryParameter("snapshot", .integer(0...19), "Which of the job's snapshots; the first when left out.")],
            replies: [.content(200, "Rows.", type: "application/x-ndjson")], problems: Self.problems
        ) { [maker, peers] context in
            let runner = try context.caller.subject
            let id = context.path["job"]
            let job = try await maker.find { $0.jobs[id] }
            guard let job, job.status == .running, job.runner == runner else { throw TrainingError.notFound("job \(id) of this runner") }
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
            let job = try await maker.find { $0.jobs[id] }
            guard let job else { throw TrainingError.notFound("job \(id)") }
            let attempt = try context.decode { try $0.object().int("attempt") }
            let isIts = job.runner == runner && job.attempt == attempt
            let goesOn = job.status == .running && isIts
            if goesOn { await desk.heard(id, attempt: attempt, context.json) }
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
        ) { [maker, evidence, artefacts] context in
            let fields = try context.decode { try $0.object() }
            let (attempt, step, digest) = try context.decode { _ in
                (try fields.int("attempt"), try fields.count("step"), try fields.digest("checkpoint"))
            }
            try await artefacts.check(manifest: digest)
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
        ) { [maker, items, evidence, artefacts] context in
            let id = context.path["job"]
            let fields = try context.decode { try $0.object() }
            let (attempt, adapter, rows, tokens) = try context.decode { _ in
                (try fields.int("attempt"), try fields.digest("adapter"), try fields.optionalDigest("rows"), try fields.count("tokens"))
            }
            try await artefacts.check(manifest: adapter)
            if let rows { try await artefacts.check(manifest: rows) }
            let job = try await maker.find { $0.jobs[id] }
            guard let job else { throw TrainingError.notFound("job \(id)") }
            let shares = try await items.shares(of: job)
            let record = try await evidence.put(try fields.field("record").value)
            _ = try await context.decide(
                maker,
                TrainingRules.complete(
                    id, runner: try context.caller.subject, attempt: attempt,
                    TrainingRules.Result(adapter: adapter, rows: rows, record: record.hash, tokens: tokens, shares: shares)))
            return .noContent
        }
    }

    private var fail: Route {
        Route(
            .post, "/v1/runners/jobs/{job}/fail", operation: "failJob", summary: "The job can't be done.", access: Self.access,
            body: .json(.object(.required("attempt", Self.attempt), .required("reason", .text(1...200)))), idempotency: .required,
            replies: [.empty(204, "It is recorded.")], problems: Self.problems
        ) { [maker] context in
            let (attempt, reason) = try context.decode { json in
                let fields = try json.object()
                return (try fields.int("attempt"), try fields.string("reason"))
            }
            _ = try await context.decide(
                maker, TrainingRules.fail(context.path["job"], runner: try context.caller.subject, attempt: attempt, reason: reason))
            return .noContent
        }
    }
}
