internal import AgentEconomyDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// Mandates: who lets which agent spend how much.
struct MandateRoutes: Sendable {
    let maker: DecisionMaker<EconomyState>

    var routes: [Route] { [grant, list, show, revoke] }

    static let amount: Schema = .object(
        .required("asset", .text(3...19), "Such as USDC/6."), .required("amount", .text(.decimal), "Minor units."))
    static let id: Schema = .text(1...200)
    static let terms: Schema = .object(
        .required("budget", amount, "The most in a period, for it and all below it."),
        .required("period", .oneOf("once", "hour", "day", "week", "month"), "In UTC; the same in a whole tree."),
        .optional("per_payment", amount, "The most of one payment."),
        .optional("minimum", amount, "The least of one payment, by what it may cost at most."),
        .optional("approval_above", amount, "Payments above this need a human's word."),
        .optional("payees", .list(id, atMost: 200), "Who may be paid; anybody when left out."),
        .optional("services", .list(id, atMost: 200), "What may be hired; anything when left out."),
        .optional("models", .list(id, atMost: 200), "What may be asked; anything when left out."),
        .optional("purposes", .list(.oneOf("inference", "task", "payment"), atMost: 3), "What for; anything when left out."),
        .optional("tasks", .list(id, atMost: 200), "Tasks that may be funded; nothing else is paid then."),
        .optional(
            "recurrence",
            .object(
                .required("every", .oneOf("once", "hour", "day", "week", "fortnight", "month", "quarter", "year")),
                .required("most", .integer(1...1_000_000_000), "In each interval."),
                .optional("total", .integer(1...1_000_000_000), "In all."))),
        .optional("not_before", .text(.time), "Before it nothing is paid."),
        .required("expires", .text(.time)),
        .optional("carved", .boolean, "Whether the budget is taken out of the parent's at once; false when left out."))

    private var grant: Route {
        Route(
            .post, "/v1/mandates", operation: "grantMandate",
            summary: "Lets an agent spend: the caller's money, or part of what the caller may spend itself.",
            access: .scope("agents:write"),
            body: .json(
                .object(
                    .required("agent", Self.id), .optional("parent", Self.id, "The mandate that it is carved from."),
                    .optional("payer", Self.id, "For the first of a tree: the caller, or an agent of the caller's."),
                    .required("terms", Self.terms))),
            idempotency: .required, replies: [.json(201, "The mandate.", .any)], problems: EconomyProblems.all
        ) { [maker] context in
            let wish = try context.decode { json in
                let fields = try json.object()
                return GrantRules.Wish(
                    agent: try fields.id("agent"), parent: try fields.optionalID("parent"), payer: try fields.optionalID("payer"),
                    terms: try Self.read(fields.object("terms")))
            }
            let outcome = try await context.decide(maker, GrantRules.grant(wish))
            return .json(try outcome.first(MandateGranted.self).json, status: 201)
        }
    }

    private static func read(_ fields: JSONFields) throws -> MandateTerms {
        let recurrence = try fields.optionalObject("recurrence")
        return MandateTerms(
            budget: try fields.amount("budget"), period: try fields.id("period"), perPayment: try fields.optionalAmount("per_payment"),
            minimum: try fields.optionalAmount("minimum"), approvalAbove: try fields.optionalAmount("approval_above"),
            payees: try names("payees", fields), services: try names("services", fields), models: try names("models", fields),
            purposes: try names("purposes", fields), tasks: try names("tasks", fields),
            recurrence: try recurrence.map { try MandateRecurrence($0) }, notBefore: try fields.optionalTimestamp("not_before"),
            expires: try fields.timestamp("expires"),
            carved: try fields.optionalBool("carved") ?? false)
    }

    private static func names(_ name: String, _ fields: JSONFields) throws -> [String]? {
        fields.optionalField(name) == nil ? nil : try fields.ids(name)
    }

    private var list: Route {
        Route(
            .get, "/v1/mandates", operation: "listMandates", summary: "The mandates that the caller has or granted, oldest first.",
            access: .authenticated, replies: [.json(200, "Mandates.", .openObject(.required("items", .list(.any, atMost: 1_000))))]
        ) { [maker] context in
            let caller = try context.caller.subject
            let now = try await maker.query { state -> [JSONValue] in
                let mine = state.mandates.values.filter { $0.agent == caller || $0.grantor == caller || $0.payer == caller }
                return mine.sorted { $0.id < $1.id }.prefix(1_000).map { Self.view($0, state) }
            }
            return .json(["items": .array(now)])
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/mandates/{mandate}", operation: "showMandate", summary: "A mandate, what is used of it, and what is free.",
            access: .authenticated, replies: [.json(200, "The mandate.", .any)], problems: [.notFound]
        ) { [maker] context in
            let id = context.path["mandate"]
            let caller = try context.caller.subject
            let view = try await maker.query { state -> JSONValue? in
                guard let mandate = state.mandates[id], Self.maySee(caller, mandate, state) else { return nil }
                return Self.view(mandate, state)
            }
            guard let view else { throw EconomyError.notFound("mandate \(id)") }
            return .json(view)
        }
    }

    /// Its agent, whoever granted it or one above it, and whose money it is.
    static func maySee(_ caller: String, _ mandate: Mandate, _ state: EconomyState) -> Bool {
        mandate.agent == caller || mandate.payer == caller || state.chain(from: mandate.id).contains { $0.grantor == caller }
    }

    private static func view(_ mandate: Mandate, _ state: EconomyState) -> JSONValue {
        mandate.view(at: state.lastTime, isLive: state.chain(from: mandate.id).allSatisfy { $0.ended == nil })
    }

    private var revoke: Route {
        Route(
            .post, "/v1/mandates/{mandate}/revocation", operation: "revokeMandate",
            summary: "Ends a mandate and all below it at once, with what they hold and is not delivered yet.",
            access: .scope("agents:write"), idempotency: .required, replies: [.json(200, "What ended.", .any)],
            problems: EconomyProblems.all
        ) { [maker] context in
            let id = context.path["mandate"]
            _ = try await context.decide(maker, GrantRules.revoke(id))
            let tasks = try await maker.query { state in
                state.tasks.values.filter { task in
                    task.isStopped && task.mandate.map { under in state.chain(from: under).contains { $0.id == id } } ?? false
                }.map(\.data.task).sorted().prefix(1_000).map { $0 }
            }
            return .json(["mandate": .string(id), "tasks": .texts(tasks)])
        }
    }
}
