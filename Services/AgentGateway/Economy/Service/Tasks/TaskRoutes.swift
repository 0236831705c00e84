internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// Tasks: work for money that is reserved first.
struct TaskRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>
    let desk: TaskDesk

    var routes: [Route] { [open, fund, submit, complete, reject, expire, list, show, brief] }

    private static let problems = EconomyProblems.all + [EconomyProblems.noMoney, EconomyProblems.signature, .unavailable]
    private static let signature: Schema = .object(
        .required("key", .text(1...128), "did:key of the signer."), .required("signature", .text(.base64URL)))

    private func command(
        _ path: String, operation: String, summary: String, body: Schema? = nil, headers: [(name: String, summary: String)] = [],
        status: Int = 200, _ handler: @escaping @Sendable (RequestContext, String) async throws -> JSONValue
    ) -> Route {
        Route(
            .post, path, operation: operation, summary: summary, access: .scope("agents:write"), headers: headers,
            body: body.map { .json($0) } ?? .none, idempotency: .required, replies: [.json(status, "What it made.", .any)],
            problems: Self.problems
        ) { context in .json(try await handler(context, try context.caller.subject), status: status) }
    }

    private func ask(_ context: RequestContext) throws -> TaskDesk.Ask {
        TaskDesk.Ask(caller: try context.caller.subject, command: try context.requiredCommand, correlation: context.trace.traceID)
    }

    private var open: Route {
        command(
            "/v1/tasks", operation: "openTask", summary: "Offers money for work. Nothing is reserved yet.",
            body: .object(
                .required("provider", MandateRoutes.id), .required("brief", .text(1...65_536), "What shall be done."),
                .required("amount", MandateRoutes.amount), .required("deadline", .text(.time), "By when; at most 27 days ahead."),
                .optional("evaluator", MandateRoutes.id, "Who judges it; the client when left out."),
                .optional("parent", MandateRoutes.id, "The task whose escrow pays it."), .optional("service", MandateRoutes.id),
                .optional(
                    "milestones", .list(MandateRoutes.amount, atMost: TaskRules.maximumMilestones), "Stages that add up to the amount."),
                .optional(
                    "split",
                    .list(
                        .object(
                            .required("kind", .oneOf("agent", "model", "datanet")), .required("id", MandateRoutes.id),
                            .required("points", .integer(1...10_000), "Basis points.")), atMost: 20),
                    "What of the provider's pay goes on to whose work it stands on.")), status: 201
        ) { [desk] context, _ in
            let wish = try context.decode { try Self.wish($0) }
            return try await desk.open(wish, try ask(context)).json
        }
    }

    private static func wish(_ json: JSONValue) throws -> TaskDesk.Wish {
        let fields = try json.object()
        let provider = try fields.id("provider")
        let evaluator = try fields.optionalID("evaluator")
        let parent = try fields.optionalID("parent")
        let service = try fields.optionalID("service")
        let amount = try fields.amount("amount")
        let milestones = try fields.optionalArray("milestones", count: 0...TaskRules.maximumMilestones)?.map { try Amount(json: $0) } ?? []
        let split = try fields.list("split") { entry throws(JSONFieldError) in try TaskShare(entry) }
        let deadline = try fields.timestamp("deadline")
        return TaskDesk.Wish(brief: try fields.string("brief", bytes: 1...EconomyWritings.largest)) { brief in
            TaskRules.Wish(
                provider: provider, evaluator: evaluator, parent: parent, service: service, brief: brief, amount: amount,
                milestones: milestones, split: split, deadline: deadline)
        }
    }

    private var fund: Route {
        command(
            "/v1/tasks/{task}/funding", operation: "fundTask",
            summary: "Reserves a task's money: the client's own, under a mandate, or from the escrow of the task above.",
            body: .object(.required("amount", MandateRoutes.amount, "What the task pays: a guard against a change unseen.")),
            headers: [
                (SpendingDesk.mandateHeader, "The mandate that pays; needed where the client has several."),
                (SpendingDesk.approvalHeader, "A human's word, where the amount needs one."),
            ]
        ) { [desk] context, _ in
            let amount = try context.decode { try $0.object().amount("amount") }
            return try await desk.fund(
                context.path["task"], amount, mandate: context.request.headers[SpendingDesk.mandateHeader],
                approval: context.request.headers[SpendingDesk.approvalHeader], try ask(context)
            ).json
        }
    }

    private var submit: Route {
        command(
            "/v1/tasks/{task}/submission", operation: "submitTask", summary: "Delivers a stage: artefacts by their hash.",
            body: .object(
                .required(
                    "artefacts",
                    .list(
                        .object(.required("hash", .text(.sha256)), .required("bytes", .count), .required("media", .text(1...100))),
                        atMost: TaskRules.maximumArtefacts)),
                .optional(
                    "signature", Self.signature,
                    "By a key of the provider, over openledger/task-submission, task, stage and the hashes, one a line."))
        ) { [maker] context, _ in
            let id = context.path["task"]
            let (artefacts, signature) = try context.decode { json in
                let fields = try json.object()
                let artefacts = try fields.list("artefacts") { entry throws(JSONFieldError) in try TaskArtefact(entry) }
                return (artefacts, try fields.optionalObject("signature").map { try TaskSignature($0) })
            }
            return try await context.decide(maker, TaskRules.submit(id, artefacts, signature: signature)).first(TaskSubmitted.self).json
        }
    }

    private var complete: Route {
        command(
            "/v1/tasks/{task}/completion", operation: "completeTask",
            summary: "Accepts the stage that was delivered: its pay is due, or waits for the work above.",
            body: .object(
                .optional(
                    "signature", Self.signature,
                    "By a key of who judges, over openledger/task-completion, task, stage and the hashes, one a line. Only stages signed by both count for a name."
                ))
        ) { [maker] context, _ in
            let id = context.path["task"]
            let signature = try context.decode { try $0.object().optionalObject("signature").map { try TaskSignature($0) } }
            let outcome = try await context.decide(maker, TaskRules.complete(id, signature: signature))
            // The stage itself stands last, after what was due or over with it.
            guard let done = try outcome.all(TaskCompleted.self).last else { return try outcome.first(TaskAccepted.self).json }
            return done.json
        }
    }

    private var reject: Route {
        command(
            "/v1/tasks/{task}/rejection", operation: "rejectTask",
            summary: "Ends a task that came to nothing: what is left of its escrow goes back."
        ) { [maker] context, _ in
            let outcome = try await context.decide(maker, TaskRules.reject(context.path["task"]))
            return ["tasks": .array(try outcome.all(TaskRejected.self).map(\.json))]
        }
    }

    private var expire: Route {
        command(
            "/v1/tasks/{task}/expiry", operation: "expireTask",
            summary: "Ends a task whose time is over. The gateway does it by itself within seconds; this is for who doubts it."
        ) { [maker] context, _ in
            let outcome = try await context.decide(maker, TaskRules.expire(context.path["task"]))
            return ["tasks": .array(try outcome.all(TaskExpired.self).map(\.json))]
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/tasks", operation: "listTasks", summary: "The caller's tasks: as client, provider, judge or payer.",
            access: .authenticated,
            query: [
                QueryParameter("phase", .oneOf("open", "funded", "submitted", "completed", "rejected", "expired"), "Only these."),
                QueryParameter("limit", .integer(1...500), "At most this many; 100 when left out."),
            ], replies: [.json(200, "Tasks.", .openObject(.required("items", .list(.any, atMost: 500))))]
        ) { [maker] context in
            let caller = try context.caller.subject
            let (phase, limit) = (context.query.string("phase"), context.query.integer("limit") ?? 100)
            let items = try await maker.query { state in
                state.tasks.values.filter { $0.concerns(caller) && (phase == nil || $0.phase.rawValue == phase) }
                    .sorted { $0.data.deadline != $1.data.deadline ? $0.data.deadline > $1.data.deadline : $0.data.task < $1.data.task }
                    .prefix(limit).map(\.view)
            }
            return .json(["items": .array(items)])
        }
    }

    private func find(_ context: RequestContext) async throws -> AgentTask {
        let id = context.path["task"]
        let caller = try context.caller.subject
        guard let task = try await maker.find({ $0.tasks[id] }), task.concerns(caller) else { throw EconomyError.notFound("task \(id)") }
        return task
    }

    private var show: Route {
        Route(
            .get, "/v1/tasks/{task}", operation: "showTask", summary: "A task.", access: .authenticated,
            replies: [.json(200, "The task.", .any)], problems: [.notFound]
        ) { context in .json(try await find(context).view) }
    }

    private var brief: Route {
        Route(
            .get, "/v1/tasks/{task}/brief", operation: "readBrief", summary: "What shall be done, in the client's words.",
            access: .authenticated,
            replies: [.json(200, "The brief.", .openObject(.required("brief", .text(0...EconomyWritings.largest))))], problems: [.notFound]
        ) { [desk] context in
            let task = try await find(context)
            guard let text = try await desk.writings.text(task.data.brief, by: task.data.client) else {
                throw EconomyError.notFound("brief of \(task.data.task): it was erased")
            }
            return .json(["brief": .string(String(decoding: text, as: UTF8.self))])
        }
    }
}
