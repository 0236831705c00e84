internal import Blobs
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// A look at the rows before a job, and at what it made after it.
struct LookRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let views: JobViews
    let evidence: EvidenceStore
    let price: TrainingPrice
    let looks: RunnerLooks

    var routes: [Route] { [preview, evaluation] }

    /// Most held-out items that are measured.
    private static let most = 200

    private var preview: Route {
        Route(
            .post, "/v1/training-jobs/preview", operation: "previewTrainingJob",
            summary:
                "The first rows of a job as the model would read them: each token with its text, which of them are learned, what is cut.",
            access: .scope("jobs:write"),
            query: [QueryParameter("rows", .integer(1...20), "How many items of each snapshot; 3 when left out.")],
            body: .json(JobRoutes.order), replies: [.json(200, "Rows.", .any)], problems: TrainingProblems.all
        ) { [maker, price, looks] context in
            let draft = try await TrainingDraft(context, price: price).request(maker)
            // Who may not learn from a Datanet does not see its rows either.
            _ = try await maker.query { try TrainingRules.quote(draft, $0, at: $0.latest) }
            let limit = context.query.integer("rows") ?? 3
            var lines: [JSONValue] = []
            for snapshot in draft.snapshots {
                let rows = try await looks.rows(snapshot.datanet, snapshot.number, limit: limit) { $0["content"]?.isNull == false }
                lines += rows.map { ["datanet": .string(snapshot.datanet), "row": $0] }
            }
            return .json(
                try await looks.ask(
                    "/v1/previews", ["base": .string(draft.base), "settings": draft.settings.json, "lines": .array(lines)]))
        }
    }

    private var evaluation: Route {
        Route(
            .post, "/v1/training-jobs/{job}/evaluation", operation: "evaluateTrainingJob",
            summary:
                "Measures the job's adapter beside its base on the held-out items: loss, perplexity, exact match, ROUGE-L, and samples.",
            access: .scope("jobs:write"),
            body: .json(
                .object(
                    .optional("samples", .integer(0...10), "Answers to show side by side; 3 when left out."),
                    .optional("answers", .integer(0...50), "Questions that are answered for exact match and ROUGE; 10 when left out."))),
            replies: [.json(200, "Both, on the same items.", .any)], problems: TrainingProblems.all
        ) { [maker, views, evidence, looks] context in
            let caller = try context.caller
            let (samples, answers) = try context.decode { json in
                let fields = try json.object()
                return (try fields.optionalInt("samples", in: 0...10) ?? 3, try fields.optionalInt("answers", in: 0...50) ?? 10)
            }
            let job = try await views.job(context.path["job"], for: caller)
            let id = job.request.job
            guard let done = job.completed else { throw TrainingError.wrongState("job \(id) is \(job.status.rawValue)") }
            let settings = try TrainingSettings(try await evidence.value(job.request.settings).object())
            // A grant may have ended since: the samples are content.
            let refused = try await maker.query { state in
                job.request.snapshots.first { !state.mayTrain(caller.subject, on: $0.datanet, at: state.latest) }
            }
            if let refused { throw TrainingError.forbidden("\(caller.subject) has no grant to train on \(refused.datanet) any more") }
            var lines: [JSONValue] = []
            for snapshot in job.request.snapshots {
                let rows = try await looks.rows(snapshot.datanet, snapshot.number, limit: Self.most) { row in
                    guard row["content"]?.isNull == false, let item = row["item"]?.stringValue else { return false }
                    return settings.holdout == 0 || HeldOut.has(item, share: settings.holdout)
                }
                lines += rows.map { ["datanet": .string(snapshot.datanet), "row": $0] }
            }
            guard !lines.isEmpty else { throw TrainingError.wrongState("no item of job \(id) is held out: there is nothing to measure on") }
            return .json(
                try await looks.ask(
                    "/v1/evaluations",
                    [
                        "base": .string(job.request.base), "adapter": .digest(done.adapter), "settings": settings.json,
                        "lines": .array(lines), "samples": .count(samples), "answers": .count(answers),
                        "held_out": .bool(settings.holdout > 0),
                    ]))
        }
    }
}
