internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Settlements, refunds, disputes and stakes.
struct SettlementRoutes: Sendable {
    let commands: BillingCommands

    var routes: [Route] { [show, refund, dispute, bond, unbond, reward, stake] }

    private typealias C = BillingCommands

    private var show: Route {
        Route(
            .get, "/v1/settlements/{settlement}", operation: "showSettlement", summary: "A settlement within its holdback.",
            access: .authenticated, replies: [.json(200, "The settlement.", .any)], problems: [.forbidden, .notFound]
        ) { [commands] context in
            let id = context.path["settlement"]
            guard let found = try await commands.desk.maker.query({ $0.settlement(id) }) else {
                throw Problem(.notFound, "there is no settlement \(id) within its holdback")
            }
            let (caller, subject) = (try context.caller, try context.caller.subject)
            let parts = try await commands.desk.maker.query { state in
                state.parts(of: id).map {
                    (account: $0.account, amount: $0.amount, isOwn: state.disposes(subject, of: String($0.account.owner)))
                }
            }
            // Who paid sees it, and every payee their own part.
            let isPayer = caller.has("billing:read") || found.payer.owner == caller.subject
            let shown = parts.filter { isPayer || $0.isOwn }
            if shown.isEmpty { try context.mayRead(found.payer) }
            let items = shown.map { part -> JSONValue in ["account": .string(part.account.text), "pending": part.amount.json] }
            return .json(
                .members([
                    "parts": .array(items),
                    "settlement": .string(id), "payer": .string(found.payer.text), "fee": found.fee.json,
                    "refunded": Amount(found.refunded, found.fee.asset).json, "release_at": .string(found.releaseAt.description),
                    "dispute": found.dispute.map { .string($0) },
                ]))
        }
    }

    private var refund: Route {
        commands.route(
            "/v1/settlements/{settlement}/refunds", operation: "refund", summary: "Gives part or all of a fee back along its split.",
            access: .scope("billing:refund"), body: .object(.required("amount", C.amount), .required("reason", C.id, "A code."))
        ) { state, ask in
            try state.refund(
                ask.path["settlement"], try ask.body.amount("amount"), reason: try ask.body.id("reason"), now: ask.context.logTime)
        }
    }

    private var dispute: Route {
        commands.route(
            "/v1/disputes", operation: "openDispute", summary: "Contests a settlement, with a bond.", access: .authenticated,
            body: .object(
                .required("settlement", C.id), .required("account", C.account, "Pays the bond."), .required("reason", C.id, "A code."),
                .required("evidence", .text(.sha256)))
        ) { state, ask in
            let account = try ask.body.account("account")
            try ask.mayUse(account, scope: "billing:admin")
            return try state.openDispute(
                id: ask.context.newID("ds"), settlement: try ask.body.id("settlement"), by: account, reason: try ask.body.id("reason"),
                evidence: try ask.body.digest("evidence"), now: ask.context.logTime)
        }
    }

    private static let stakeBody: Schema = .object(
        .required("pool", .text(1...80)), .required("account", C.account), .required("amount", C.amount))

    private var bond: Route {
        commands.route(
            "/v1/stakes", operation: "bondStake", summary: "Stakes money in a pool.", access: .authenticated, body: Self.stakeBody
        ) { state, ask in
            let account = try ask.body.account("account")
            try ask.mayUse(account, scope: "billing:admin")
            return try state.bond(try ask.body.amount("amount"), from: account, in: try ask.body.id("pool"))
        }
    }

    private var unbond: Route {
        commands.route(
            "/v1/stakes/unbond", operation: "unbondStake", summary: "Asks for part of a stake back.", access: .authenticated,
            body: Self.stakeBody
        ) { state, ask in
            let account = try ask.body.account("account")
            try ask.mayUse(account, scope: "billing:admin")
            return try state.unbond(
                id: ask.context.newID("ub"), try ask.body.amount("amount"), of: account, in: try ask.body.id("pool"),
                now: ask.context.logTime)
        }
    }

    private var reward: Route {
        commands.route(
            "/v1/stakes/rewards", operation: "rewardStakes", summary: "Splits a reward among a pool's stakes.", access: .authenticated,
            body: Self.stakeBody
        ) { state, ask in
            let account = try ask.body.account("account")
            try ask.mayUse(account, scope: "billing:admin")
            return try state.reward(try ask.body.amount("amount"), from: account, pool: try ask.body.id("pool"))
        }
    }

    private var stake: Route {
        Route(
            .get, "/v1/stakes", operation: "showStake", summary: "What an account has bonded in a pool.", access: .authenticated,
            query: [
                QueryParameter("account", C.account, "The account.", required: true),
                QueryParameter("pool", .text(1...80), "The pool.", required: true),
                QueryParameter("asset", C.asset, "The asset.", required: true),
            ], replies: [.json(200, "The stake.", .object(.required("bonded", C.amount)))]
        ) { [commands] context in
            guard let account = AccountID(context.query.string("account") ?? "") else {
                throw Problem(.badQuery, "is no account", field: "account")
            }
            let (pool, asset) = (context.query.string("pool") ?? "", try context.query.asset())
            let bonded = try await commands.desk.maker.query { $0.stake(account, in: pool, asset) }
            return .json(["bonded": bonded.json])
        }
    }
}
