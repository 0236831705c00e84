internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Web

/// Budgets of payers: at which part of a month's fees they want to be told.
struct BudgetRoutes: Sendable {
    let commands: BillingCommands
    let clock: @Sendable () -> Timestamp

    var routes: [Route] { [change, show] }

    private typealias C = BillingCommands
    private static let thresholds: Schema = .list(.integer(1...100_000), atMost: 10)

    private var change: Route {
        commands.route(
            "/v1/accounts/{account}/budgets", operation: "setBudget",
            summary: "Asks to be told, by an event and webhooks, when a calendar month's fees cross parts of an amount.",
            access: .authenticated,
            body: .object(
                .required("budget", C.amount, "Zero ends it."),
                .required("thresholds", Self.thresholds, "Basis points of the budget, rising: 5000, 8000, 10000."))
        ) { state, ask in
            let account = try ask.path.account()
            try ask.mayUse(account, scope: "billing:admin")
            return try state.setBudget(
                of: account, try ask.body.amount("budget"), thresholds: try ask.body.counts("thresholds", atMost: 10))
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/accounts/{account}/budgets", operation: "showBudgets", summary: "A payer's budgets and how the month stands.",
            access: .authenticated,
            replies: [
                .json(
                    200, "The budgets, by asset.",
                    .object(
                        .required(
                            "items",
                            .list(
                                .object(
                                    .required("budget", C.amount), .required("thresholds", Self.thresholds),
                                    .required("period", .text(7...7)), .required("spent", C.amount),
                                    .required("told", .count, "The highest threshold that was told of; 0 for none."))))))
            ], problems: [.forbidden]
        ) { [commands, clock] context in
            let account = try context.path.account()
            try context.mayRead(account)
            let now = clock()
            let standings = try await commands.desk.maker.query { $0.budgets(of: account, now: now) }
            return .json([
                "items": .array(
                    standings.map { standing in
                        [
                            "budget": standing.budget.amount.json, "thresholds": .array(standing.budget.thresholds.map { .count($0) }),
                            "period": .string(standing.period), "spent": standing.spent.json, "told": .count(standing.told),
                        ]
                    })
            ])
        }
    }
}
