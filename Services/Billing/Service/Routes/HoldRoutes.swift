internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Holds, prices and the rules of settlement.
struct HoldRoutes: Sendable {
    let commands: BillingCommands

    var routes: [Route] { [place, placeAll, show, capture, captureAll, release, price, showPrice, showRules, rules] }

    private typealias C = BillingCommands

    private var place: Route {
        commands.route(
            "/v1/holds", operation: "placeHold", summary: "Reserves part of a balance.", access: .authenticated,
            body: .object(
                .required("account", C.account), .required("amount", C.amount),
                .required("seconds", .integer(1...2_592_000), "How long, in log time."),
                .optional("model", C.id, "Whose usage it shall pay, at the price of this moment."),
                .optional("reference", C.id, "What it is for: it stands in the event."))
        ) { state, ask in
            let account = try ask.body.account("account")
            try ask.mayUse(account, scope: "billing:hold")
            let reference = try ask.body.optionalID("reference")
            guard reference == nil || ask.caller.has("billing:hold") else {
                throw Problem(.forbidden, "a reference is for services only")
            }
            let expires = ask.context.logTime.later(seconds: try ask.body.int("seconds"))
            return try state.placeHold(
                id: ask.context.newID("hd"), on: account, try ask.body.amount("amount"), expires: expires,
                model: try ask.body.optionalID("model"), reference: reference, now: ask.context.logTime)
        }
    }

    /// A hold as it is asked for.
    private struct WantedHold: Sendable {
        let account: AccountID
        let amount: Amount
        let seconds: Int
        let model: String?
    }

    private static let lifetime: Schema = .integer(1...2_592_000)

    private var placeAll: Route {
        commands.route(
            "/v1/holds/batches", operation: "placeHolds", summary: "Reserves several parts of balances, all of them or none.",
            access: .authenticated,
            body: .object(
                .required(
                    "holds",
                    .list(
                        .object(
                            .required("account", C.account), .required("amount", C.amount),
                            .required("seconds", Self.lifetime, "How long, in log time."), .optional("model", C.id)),
                        atMost: BillingState.maximumBatch))),
            read: { body, caller in
                try body.array("holds", count: 0...BillingState.maximumBatch).map { field -> WantedHold in
                    let hold = try field.object()
                    let account = try hold.account("account")
                    try BillingCommands.Ask.check(caller, account, scope: "billing:hold")
                    return WantedHold(
                        account: account, amount: try hold.amount("amount"), seconds: try hold.int("seconds"),
                        model: try hold.optionalID("model"))
                }
            }
        ) { state, ask, wanted in
            let requests = wanted.enumerated().map { place, hold in
                HoldRequest(
                    id: ask.context.newID("hd", place), account: hold.account, amount: hold.amount,
                    expires: ask.context.logTime.later(seconds: hold.seconds), model: hold.model)
            }
            return try state.placeHolds(requests, now: ask.context.logTime)
        }
    }

    private var captureAll: Route {
        commands.route(
            "/v1/holds/captures", operation: "captureHolds", summary: "Takes part or all of several holds, all of them or none.",
            access: .scope("billing:hold"),
            body: .object(
                .required(
                    "captures",
                    .list(
                        .object(
                            .required("hold", C.id), .required("amount", C.amount), .required("reference", C.id, "What it is for."),
                            .optional("final", .boolean)),
                        atMost: BillingState.maximumBatch))),
            read: { body, _ in
                try body.array("captures", count: 0...BillingState.maximumBatch).map { field -> CaptureRequest in
                    let capture = try field.object()
                    return CaptureRequest(
                        hold: try capture.id("hold"), amount: try capture.amount("amount"), reference: try capture.id("reference"),
                        final: try capture.optionalBool("final") ?? true)
                }
            }
        ) { state, ask, requests in
            return try state.captureHolds(requests, now: ask.context.logTime)
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/holds/{hold}", operation: "showHold", summary: "An open hold.", access: .authenticated,
            replies: [
                .json(
                    200, "The hold.",
                    .object(.required("account", C.account), .required("left", C.amount), .required("expires", .text(.time))))
            ],
            problems: [.forbidden, .notFound]
        ) { [commands] context in
            let id = context.path["hold"]
            guard let hold = try await commands.desk.maker.query({ $0.hold(id) }) else {
                throw Problem(.notFound, "there is no open hold \(id)")
            }
            try context.mayRead(hold.account)
            return .json(["account": .string(hold.account.text), "left": hold.left.json, "expires": .string(hold.expires.description)])
        }
    }

    private var capture: Route {
        commands.route(
            "/v1/holds/{hold}/capture", operation: "captureHold", summary: "Takes part or all of a hold, or what metered usage costs.",
            access: .scope("billing:hold"),
            body: .object(
                .required("reference", C.id, "What it is for."), .optional("amount", C.amount),
                .optional("final", .boolean, "Whether the rest becomes free; true when left out."),
                .optional("usage", .list(.object(.required("meter", C.id), .required("quantity", .count)), atMost: 20)))
        ) { state, ask in
            let reference = try ask.body.id("reference")
            if let amount = try ask.body.optionalAmount("amount") {
                guard ask.body.optionalField("usage") == nil else { throw ask.body.error("must have amount or usage, not both") }
                return try state.captureHold(
                    ask.path["hold"], amount, reference: reference, final: try ask.body.optionalBool("final") ?? true,
                    now: ask.context.logTime)
            }
            let usage = try ask.body.list("usage") { fields throws(JSONFieldError) in try MeterQuantity(fields) }
            guard !usage.isEmpty else { throw ask.body.error("must have amount or usage") }
            return try state.captureUsage(ask.path["hold"], usage, reference: reference, now: ask.context.logTime)
        }
    }

    private var release: Route {
        commands.route(
            "/v1/holds/{hold}/release", operation: "releaseHold", summary: "Sets what is left of a hold free.",
            access: .scope("billing:hold"),
            body: .object()
        ) { state, ask in try state.releaseHold(ask.path["hold"]) }
    }

    private var price: Route {
        commands.route(
            "/v1/settlements/prices", operation: "publishPrice", summary: "Publishes the next version of a model's price.",
            access: .scope("billing:admin"),
            body: .object(.required("model", C.id), .required("asset", C.asset), .required("meters", .list(.any, atMost: 20)))
        ) { state, ask in
            try state.publishPrice(
                model: try ask.body.id("model"), asset: try ask.body.asset("asset"),
                meters: try ask.body.list("meters") { fields throws(JSONFieldError) in try MeterPrice(fields) })
        }
    }

    private var showPrice: Route {
        Route(
            .get, "/v1/settlements/prices", operation: "showPrice", summary: "A model's newest price.", access: .authenticated,
            query: [QueryParameter("model", C.id, "The model.", required: true)], replies: [.json(200, "The price.", .any)],
            problems: [.notFound]
        ) { [commands] context in
            let model = context.query.string("model") ?? ""
            guard let price = try await commands.desk.maker.query({ $0.price(model) }) else {
                throw Problem(.notFound, "\(model) has no price")
            }
            return .json(price.json)
        }
    }

    private var showRules: Route {
        Route(
            .get, "/v1/settlements/rules", operation: "showSettlementRules", summary: "The rules of settlement in force.", access: .public,
            replies: [.json(200, "The rules.", .openObject(.required("platform_points", .count), .required("platform", C.account)))]
        ) { [commands] _ in .json(try await commands.desk.maker.query { $0.rules.json }) }
    }

    private var rules: Route {
        commands.route(
            "/v1/settlements/rules", operation: "setSettlementRules", summary: "Sets the rules of settlement from here on.",
            access: .scope("billing:admin"),
            body: .openObject(.required("platform_points", .count), .required("platform", C.account))
        ) { state, ask in try state.setRules(try SettlementRulesSet(ask.body)) }
    }
}

extension Timestamp {
    /// So many seconds later.
    fileprivate func later(seconds: Int) -> Timestamp { Timestamp(microseconds: microseconds + Int64(seconds) * 1_000_000) }
}
