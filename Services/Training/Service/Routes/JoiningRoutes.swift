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

/// How runners that are not the house's own join, and how their work is looked at.
struct JoiningRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let items: JobItems
    let joining: RunnerJoining

    var routes: [Route] { [register, list, check] }

    private static let problems = TrainingProblems.all + DecisionError.problemTypes
    private static let runner: Schema = .openObject(
        .required("runner", .text(1...200)), .required("engine", .text(1...200)), .required("bases", .list(.text(1...100), atMost: 200)),
        .required("features", .list(.text(1...100), atMost: 20)), .required("stake", .any))

    private var register: Route {
        Route(
            .post, "/v1/runners", operation: "registerRunner",
            summary: "The caller's own runner joins. What OPENLEDGER_RUNNER_STAKE says must be bonded in the pool `runners` before.",
            access: .authenticated,
            body: .json(
                .object(
                    .required("engine", .text(1...100), "What computes, such as openledger-engine/1."),
                    .required("bases", .list(.text(1...100), atMost: 200), "The base models that it has."),
                    .optional("features", .list(.text(1...100), atMost: 20), "What else it can do: int8, attribution-rows."))),
            idempotency: .required, replies: [.json(201, "The runner.", Self.runner)], problems: Self.problems
        ) { [maker, joining] context in
            let subject = try context.caller.subject
            let draft = try context.decode { json in
                let fields = try json.object()
                return RunnerRegistered(
                    runner: subject, engine: try fields.id("engine"), bases: try fields.ids("bases"),
                    features: fields.optionalField("features") == nil ? [] : try fields.ids("features"))
            }
            _ = try await context.decide(maker, RunnerRules.register(draft, stake: joining.stake))
            return .json(try await view(draft), status: 201)
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/runners", operation: "listRunners",
            summary: "Runners that joined, what they say they can do, and what vouches for them.",
            access: .authenticated, replies: [.json(200, "Runners.", .openObject(.required("items", .list(Self.runner, atMost: 10_000))))]
        ) { [maker] _ in
            let all = try await maker.query { state in state.runners.registered.values.sorted { $0.runner < $1.runner } }
            var views: [JSONValue] = []
            for runner in all { views.append(try await view(runner)) }
            return .json(["items": .array(views)])
        }
    }

    private func view(_ runner: RunnerRegistered) async throws -> JSONValue {
        let asset = joining.stake.asset
        let bonded = try await maker.query { $0.runners.stake(of: runner.runner, in: asset) }
        return [
            "runner": .string(runner.runner), "engine": .string(runner.engine), "bases": .texts(runner.bases),
            "features": .texts(runner.features), "stake": bonded.json, "wanted": joining.stake.json,
        ]
    }

    private var check: Route {
        Route(
            .post, "/v1/runners/jobs/{job}/check", operation: "checkWork",
            summary: "Says what a look at somebody's work found. Where it does not agree, the stake is lost and the job waits for another.",
            access: .scope(RunnerJoining.checking),
            body: .json(
                .object(
                    .optional("adapter", .text(.sha256), "The adapter that came out when the job was done again."),
                    .optional("rows", .text(.sha256), "The attribution rows that came out."),
                    .optional("loss_micros", .count, "The adapter's loss that was measured, where it can't be done again."),
                    .optional(
                        "held_out", .boolean,
                        "With loss_micros: whether it is the loss on rows that are held out; they are when left out."),
                    .optional("base_loss_micros", .count, "With loss_micros: the base model's loss on the same rows."),
                    .optional(
                        "reached_micros", .count,
                        "With loss_micros: the loss on the same rows of what the same job gave the one who looks."),
                    .optional(
                        "rows_agree", .boolean,
                        "With loss_micros: whether a sample of the attribution rows came out with the factors that were handed in."))),
            idempotency: .required, replies: [.json(200, "Whether it agrees.", .object(.required("agrees", .boolean)))],
            problems: Self.problems
        ) { [maker] context in
            let id = context.path["job"]
            let (adapter, rows, loss, base, reached, rowsAgree, heldOut) = try context.decode { json in
                let fields = try json.object()
                return (
                    try fields.optionalDigest("adapter"), try fields.optionalDigest("rows"),
                    try fields.optionalInt("loss_micros", in: 0...(1 << 53) - 1),
                    try fields.optionalInt("base_loss_micros", in: 0...(1 << 53) - 1),
                    try fields.optionalInt("reached_micros", in: 0...(1 << 53) - 1), try fields.optionalBool("rows_agree"),
                    try fields.optionalBool("held_out") ?? true
                )
            }
            let job = try await maker.query { $0.jobs[id] }
            guard let job, let work = job.delivered else { throw TrainingError.notFound("work on job \(id)") }
            let finding: RunnerRules.Finding
            let record = try await items.evidence.value(work.record)
            if let adapter {
                guard RunnerClaim.isRepeatable(record) else {
                    throw TrainingError.invalid(
                        field: "/adapter", reason: "can't be what came out again: the work is of an engine that nobody here repeats")
                }
                finding = .repeated(adapter: adapter, rows: rows)
            } else if let loss {
                guard let base else {
                    throw TrainingError.invalid(
                        field: "/base_loss_micros", reason: "must be measured: work that gains nothing is not taken")
                }
                guard let reached else {
                    throw TrainingError.invalid(
                        field: "/reached_micros", reason: "must be measured: one step of a job is told from all of it by nothing else")
                }
                guard (rowsAgree == nil) == (work.rows == nil) else {
                    throw TrainingError.invalid(
                        field: "/rows_agree", reason: "must be there if attribution rows were handed in, and only then")
                }
                finding = .measured(
                    loss: loss, base: base, claim: RunnerClaim.loss(record), rowsAgree: rowsAgree, heldOut: heldOut, reached: reached)
            } else {
                throw TrainingError.invalid(field: "/adapter", reason: "or /loss_micros must be there")
            }
            let shares = try await items.shares(of: job)
            let all = try await items.all(of: job.request.snapshots)
            let outcome = try await context.decide(
                maker, RunnerRules.check(id, by: try context.caller.subject, finding, shares: shares, items: all))
            return .json(["agrees": .bool(try outcome.first(JobChecked.self).agrees)])
        }
    }
}
