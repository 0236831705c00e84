internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// Fine-tuning jobs, for the people who ask for them.
struct JobRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let desk: JobDesk
    let views: JobViews
    let items: JobItems
    let evidence: EvidenceStore
    let price: TrainingPrice
    let looks: RunnerLooks

    var routes: [Route] { [quote, request, list, show, events] }

    static let order: Schema = .object(
        .required("base", .text(1...100), "The base model."),
        .required(
            "snapshots",
            .list(.object(.required("datanet", .text(1...100)), .required("number", .integer(1...1_000_000))), atMost: 20),
            "What it shall learn from."),
        .optional(
            "settings", .any,
            "Epochs, learning rate in millionths, batch, rank, seed; the rest has values that fit. `auto` in place of a number fits it to the data."
        ),
        .optional("hold", .text(1...200), "A hold that the fee is taken from."))

    /// What a caller asked for, not yet decided, and what it would take of a runner. Layers that are left to the house are all, or those whose
    /// influence can be measured.
    private func draft(_ context: RequestContext) async throws -> (TrainingRules.Request, taking: JobTaking?) {
        let draft = try TrainingDraft(context, price: price)
        var request = try await draft.request(maker)
        let (items, tokens) = try await draft.size(maker)
        let taking = await looks.size(request, items: items, tokens: tokens)
        guard draft.leavesTargets, let taking, taking.isTooMuch, let fitting = taking.targets, !fitting.isEmpty else {
            return (request, taking)
        }
        request.settings.targets = fitting
        request.settingsDigest = SHA256.hash(try JSON.canonical(request.settings.json))
        return (request, await looks.size(request, items: items, tokens: tokens))
    }

    /// Tokens of the snapshots that are handed out no more, which nobody pays for.
    private func leftOut(_ request: TrainingRules.Request) async throws -> Int {
        let references = try await maker.query { state in
            request.snapshots.compactMap { wanted in
                state.snapshot(wanted.datanet, wanted.number).map {
                    SnapshotReference(datanet: $0.datanet, snapshot: $0.snapshot, number: $0.number, root: $0.root)
                }
            }
        }
        return try await items.takenBack(from: references).tokens
    }

    private var quote: Route {
        Route(
            .post, "/v1/training-jobs/quote", operation: "quoteTrainingJob",
            summary: "What a job would cost, how long it would take, and whether it may run.",
            access: .scope("jobs:write"), body: .json(Self.order),
            replies: [
                .json(
                    200,
                    "Tokens that it will see, the fee, how long a runner will take, by what runners told where `measured`, and its memory.",
                    .any)
            ],
            problems: TrainingProblems.all
        ) { [maker, desk] context in
            let (draft, taking) = try await draft(context)
            let leftOut = try await leftOut(draft)
            let (quote, parameters, waiting) = try await maker.query { state in
                (
                    try TrainingRules.quote(draft, state, at: state.latest, leftOut: leftOut), state.bases[draft.base]?.parameters ?? 0,
                    state.open.count { state.jobs[$0]?.status == .queued }
                )
            }
            try taking?.require()
            let (seconds, isMeasured) = await desk.seconds(tokens: quote.tokens, parameters: parameters)
            return .json(
                .members([
                    "tokens": .count(quote.tokens), "fee": quote.fee.json, "settings": draft.settings.json, "seconds": .count(seconds),
                    "measured": .bool(isMeasured), "waiting": .count(waiting), "memory_bytes": taking.map { .count($0.memory.bytes) },
                ]))
        }
    }

    private var request: Route {
        Route(
            .post, "/v1/training-jobs", operation: "requestTrainingJob", summary: "Puts a job into the queue.",
            access: .scope("jobs:write"),
            body: .json(Self.order), idempotency: .required, replies: [.json(201, "The job.", .any)],
            problems: TrainingProblems.all + DecisionError.problemTypes
        ) { [maker, evidence, views] context in
            let (draft, taking) = try await draft(context)
            try taking?.require()
            _ = try await evidence.put(draft.settings.json)
            let outcome = try await context.decide(maker, TrainingRules.request(draft, leftOut: try await leftOut(draft)))
            let job = try outcome.first(JobRequested.self).job
            return .json(try await views.view(job, for: try context.caller), status: 201)
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/training-jobs", operation: "listTrainingJobs", summary: "The caller's jobs, newest first.", access: .authenticated,
            query: Page.parameters(), replies: [.json(200, "A page of jobs.", Page.schema(.any))]
        ) { [maker, views] context in
            let owner = try context.caller.subject
            let page = Page(context)
            let jobs = try await maker.query { state in
                state.jobs.values.filter { $0.request.owner == owner }
                    .sorted { ($0.time, $0.request.job) > ($1.time, $1.request.job) }
            }
            let start = page.cursor.flatMap { cursor in jobs.firstIndex { $0.request.job == cursor } } ?? 0
            let shown = jobs[start...].prefix(page.limit)
            let next = start + shown.count < jobs.count ? jobs[start + shown.count].request.job : nil
            var shownViews: [JSONValue] = []
            for job in shown { shownViews.append(await views.view(job)) }
            return page.response(shownViews, next: next)
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/training-jobs/{job}", operation: "showTrainingJob", summary: "One job.", access: .authenticated,
            replies: [.json(200, "The job.", .any)], problems: [.notFound]
        ) { [views] context in .json(try await views.view(context.path["job"], for: try context.caller)) }
    }

    private var events: Route {
        Route(
            .get, "/v1/training-jobs/{job}/events", operation: "watchTrainingJob", summary: "How a job goes, as it goes, until it is over.",
            access: .authenticated, replies: [.events("One event for each report.")], problems: [.notFound]
        ) { [desk, views] context in
            let id = context.path["job"]
            let caller = try context.caller
            _ = try await views.view(id, for: caller)
            let changes = await desk.changes()
            let told = AsyncThrowingStream<ServerSentEvent, any Error> { continuation in
                let task = Task {
                    var last: JSONValue?
                    for await _ in changes {
                        do {
                            let now = try await views.view(id, for: caller)
                            if now != last {
                                continuation.yield(ServerSentEvent(event: "job", data: String(decoding: JSON.write(now), as: UTF8.self)))
                            }
                            last = now
                            if ["succeeded", "failed", "cancelled"].contains(now["status"]?.stringValue) { break }
                        } catch {
                            continuation.finish(throwing: error)
                            return
                        }
                    }
                    continuation.finish()
                }
                continuation.onTermination = { _ in task.cancel() }
            }
            return SSE.response(told)
        }
    }
}
