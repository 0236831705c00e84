internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// A human's word for payments above a mandate's threshold.
struct ApprovalRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>

    var routes: [Route] { [request, list, decide] }

    private var request: Route {
        Route(
            .post, "/v1/mandates/{mandate}/approvals", operation: "requestApproval",
            summary: "An agent asks its human for a payment above the threshold.", access: .scope("agents:write"),
            body: .json(
                .object(
                    .required("amount", MandateRoutes.amount, "Just that; for an answer, the most that it may cost."),
                    .required("purpose", .oneOf("inference", "task", "payment")), .required("payee", MandateRoutes.id),
                    .optional("task", MandateRoutes.id, "The task that is to be funded."), .optional("service", MandateRoutes.id),
                    .optional("model", MandateRoutes.id))), idempotency: .required,
            replies: [.json(201, "The request.", .any)], problems: EconomyProblems.all
        ) { [maker] context in
            let spending = try context.decode { json in
                let fields = try json.object()
                return Spending(
                    try fields.amount("amount"), purpose: try fields.id("purpose"), payee: try fields.id("payee"),
                    service: try fields.optionalID("service"), model: try fields.optionalID("model"), task: try fields.optionalID("task"))
            }
            let outcome = try await context.decide(maker, SpendingRules.request(spending, under: context.path["mandate"]))
            return .json(try outcome.first(ApprovalRequested.self).json, status: 201)
        }
    }

    private var list: Route {
        Route(
            .get, "/v1/mandates/{mandate}/approvals", operation: "listApprovals",
            summary: "Requests under a mandate that are not used yet.",
            access: .authenticated, replies: [.json(200, "Requests.", .openObject(.required("items", .list(.any))))], problems: [.notFound]
        ) { [maker] context in
            let id = context.path["mandate"]
            let caller = try context.caller.subject
            let items = try await maker.query { state -> [JSONValue]? in
                guard let mandate = state.mandates[id], MandateRoutes.maySee(caller, mandate, state) else { return nil }
                return state.approvals.values.filter { $0.request.mandate == id }.sorted { $0.request.approval < $1.request.approval }.map {
                    .members([
                        "request": $0.request.json, "granted": .bool($0.granted != nil),
                        "expires": $0.granted.map { .string($0.expires.description) },
                    ])
                }
            }
            guard let items else { throw EconomyError.notFound("mandate \(id)") }
            return .json(["items": .array(items)])
        }
    }

    private var decide: Route {
        Route(
            .post, "/v1/mandates/{mandate}/approvals/{approval}", operation: "decideApproval",
            summary: "Says yes or no to a payment, once.", access: .scope("agents:write"),
            body: .json(
                .object(
                    .required("granted", .boolean),
                    .optional("seconds", .integer(1...604_800), "How long a yes holds; a day when left out.")
                )), idempotency: .required, replies: [.json(200, "The answer.", .any)], problems: EconomyProblems.all
        ) { [maker] context in
            let (granted, seconds) = try context.decode { json in
                let fields = try json.object()
                return (try fields.bool("granted"), try fields.optionalInt("seconds") ?? 86_400)
            }
            let outcome = try await context.decide(
                maker, SpendingRules.decide(context.path["approval"], granted: granted, seconds: Int64(seconds)))
            return .json(try outcome.first(ApprovalDecided.self).json)
        }
    }
}
