internal import BillingDomain
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Web

/// Accounts, deposits, transfers, payouts.
struct AccountRoutes: Sendable {
    let commands: BillingCommands
    let reader: JournalReader
    /// Whether there is a rail to try things with.
    let hasSandbox: Bool
    let applied: @Sendable () async throws -> UInt64

    var routes: [Route] {
        [open, show, balance, deposit, transfer, reverse, verify, payout, finish, send, bankFile]
    }

    private typealias C = BillingCommands

    private var open: Route {
        commands.route(
            "/v1/accounts", operation: "openAccount", summary: "Opens an account in an asset.", access: .authenticated,
            body: .object(
                .required("account", C.account), .required("asset", C.asset), .optional("overdraft", C.amount),
                .optional("ceiling", C.amount))
        ) { state, ask in
            let account = try ask.body.account("account")
            try ask.mayUse(account, scope: "billing:admin")
            let overdraft = try ask.body.optionalAmount("overdraft")
            if overdraft != nil, !ask.caller.has("billing:admin") {
                throw Problem(.forbidden, "an overdraft needs the scope billing:admin")
            }
            return try state.openAccount(
                account, try ask.body.asset("asset"), overdraft: overdraft, ceiling: try ask.body.optionalAmount("ceiling"))
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/accounts/{account}", operation: "showAccount", summary: "What an account has, by asset.", access: .authenticated,
            replies: [.json(200, "Balances.", .object(.required("account", C.account), .required("assets", .list(.any))))],
            problems: [.forbidden, .notFound]
        ) { [commands] context in
            let id = try context.path.account()
            let subject = try context.caller.subject
            let (isOwn, found) = try await commands.desk.maker.query { state in
                let pending = AccountID("pending:" + id.text)
                let accounts = state.journal.all(id) + (pending.map { state.journal.all($0) } ?? [])
                return (state.disposes(subject, of: String(id.owner)), accounts)
            }
            if !isOwn { try context.mayRead(id) }
            guard !found.isEmpty else { throw Problem(.notFound, "there is no account \(id)") }
            let assets = Set(found.map(\.asset)).sorted().map { asset -> JSONValue in
                let own = found.first { $0.id == id && $0.asset == asset }
                let pending = found.first { $0.id != id && $0.asset == asset }
                return [
                    "balance": Amount(own?.balance ?? 0, asset).json, "held": Amount(own?.held ?? 0, asset).json,
                    "available": Amount(own?.available ?? 0, asset).json, "pending": Amount(pending?.balance ?? 0, asset).json,
                ]
            }
            return .json(["account": .string(id.text), "assets": .array(assets)])
        }
    }

    private var balance: Route {
        Route(
            .get, "/v1/accounts/{account}/balance", operation: "balanceAsOf", summary: "An account's balance as of a position of the log.",
            access: .authenticated,
            query: [
                QueryParameter("asset", C.asset, "The asset.", required: true),
                QueryParameter("position", .count, "Everything up to it counts; all that is known when left out."),
            ],
            replies: [.json(200, "The balance.", .object(.required("balance", C.amount), .required("position", .count)))],
            problems: [.forbidden]
        ) { [commands, reader, applied] context in
            let id = try context.path.account()
            try await context.mayRead(id, commands)
            let next = try await applied()
            let position = UInt64(context.query.integer("position") ?? Int(clamping: next == 0 ? 0 : next - 1))
            guard position < max(next, 1) else {
                throw Problem(.badQuery, "position \(position) is not known yet: \(next) are", field: "position")
            }
            let balance = try await reader.balance(of: id, try context.query.asset(), at: position)
            return .json(["balance": balance.json, "position": .count(Int(position))])
        }
    }

    private var deposit: Route {
        commands.route(
            "/v1/accounts/{account}/deposits", operation: "deposit", summary: "Credits what came in on a payment rail.",
            access: .scope("billing:deposit"),
            body: .object(
                .required("amount", C.amount), .required("rail", .text(1...40)), .required("reference", C.id, "Taken once on each rail."))
        ) { state, ask in
            try state.deposit(
                id: ask.context.newID("dp"), to: try ask.path.account(), try ask.body.amount("amount"), rail: try ask.body.id("rail"),
                reference: try ask.body.id("reference"))
        }
    }

    private var transfer: Route {
        commands.route(
            "/v1/accounts/transfers", operation: "transfer", summary: "Books a journal transaction.", access: .scope("billing:admin"),
            body: .object(
                .required("postings", .list(.object(.required("account", C.account), .required("amount", C.amount)), atMost: 1000)),
                .required("reason", C.id, "A code."))
        ) { state, ask in
            let postings = try ask.body.list("postings", atMost: 1000) { fields throws(JSONFieldError) in try Posting(fields) }
            return try state.transfer(id: ask.context.newID("tr"), postings, reason: try ask.body.id("reason"))
        }
    }

    private var reverse: Route {
        commands.route(
            "/v1/accounts/transfers/{transfer}/reversal", operation: "reverseTransfer", summary: "Undoes a transfer by opposite entries.",
            access: .scope("billing:admin"), body: .object(.required("reason", C.id, "A code."))
        ) { state, ask in
            try state.reverse(id: ask.context.newID("tr"), transaction: ask.path["transfer"], reason: try ask.body.id("reason"))
        }
    }

    private var verify: Route {
        commands.route(
            "/v1/accounts/verified-owners", operation: "verifyOwner", summary: "Says that an owner has a proven claim.",
            access: .scope("billing:verify"),
            body: .object(.required("owner", C.id), .required("claim", .oneOf("mail", "domain", "vouched")))
        ) { state, ask in try state.verifyOwner(try ask.body.id("owner"), claim: try ask.body.id("claim")) }
    }

    private var payout: Route {
        commands.route(
            "/v1/accounts/{account}/payouts", operation: "requestPayout", summary: "Sends money out on a payment rail.",
            access: .authenticated,
            body: .object(
                .required("amount", C.amount), .required("rail", .oneOf(BankRail.name, SandboxRail.name)),
                .required("destination", .text(.sha256), "Commitment to where it goes."))
        ) { state, ask in
            let account = try ask.path.account()
            let rail = try ask.body.id("rail")
            guard rail != SandboxRail.name || hasSandbox else {
                throw BillingError.invalid(field: "rail", reason: "sandbox is switched off in this house: use bank")
            }
            if !state.disposes(ask.caller.subject, of: String(account.owner)) { try ask.mayUse(account, scope: "billing:admin") }
            return try state.requestPayout(
                id: ask.context.newID("po"), from: account, try ask.body.amount("amount"), rail: rail,
                destination: try ask.body.digest("destination"))
        }
    }

    private var finish: Route {
        commands.route(
            "/v1/accounts/payouts/{payout}/finish", operation: "finishPayout", summary: "Says what came of a payout.",
            access: .scope("billing:payout"),
            body: .object(.required("paid", .boolean), .required("reference", C.id, "On the rail, or why it came back."))
        ) { state, ask in
            try state.finishPayout(ask.path["payout"], paid: try ask.body.bool("paid"), reference: try ask.body.id("reference"))
        }
    }

    private var send: Route {
        commands.route(
            "/v1/accounts/payouts/bank-files", operation: "sendPayouts",
            summary: "Puts the payouts that no file has yet into the next file for the bank: its number is in the event.",
            access: .scope("billing:payout"), body: .object()
        ) { state, _ in try state.sendPayouts(on: BankRail.name) }
    }

    private var bankFile: Route {
        Route(
            .get, "/v1/accounts/payouts/bank-file", operation: "bankFile",
            summary: "A file of payouts that the bank shall carry out, as CSV; what is in no file yet where no number is given.",
            access: .scope("billing:payout"),
            query: [QueryParameter("batch", .integer(1...1_000_000_000), "The file's number; carry out none but these.")],
            replies: [.content(200, "One payout a line.", type: "text/csv")], problems: [.notFound]
        ) { [commands] context in
            let batch = context.query.integer("batch")
            let found = try await commands.desk.maker.find { state in
                batch.map { state.sentPayouts(on: BankRail.name, batch: $0) } ?? state.unsentPayouts(on: BankRail.name)
            }
            guard let payouts = found else { throw Problem(.notFound, "there is no file \(batch ?? 0)") }
            return Response(headers: ["Content-Type": "text/csv"], body: .bytes(Array(BankRail.file(payouts).utf8)))
        }
    }
}

extension RequestContext {
    /// The same, where whose it is may be for the state to say: what authors have is that of whoever claimed their accounts.
    func mayRead(_ account: AccountID, _ commands: BillingCommands) async throws {
        let (subject, owner) = (try caller.subject, String(account.beneficiary))
        if try await commands.desk.maker.query({ $0.disposes(subject, of: owner) }) { return }
        try mayRead(account)
    }

    /// Throws unless the caller owns the account, or may read all.
    func mayRead(_ account: AccountID) throws {
        let caller = try caller
        guard caller.has("billing:read") || account.beneficiary == caller.subject else {
            throw Problem(.forbidden, "the account \(account) is not \(caller.subject)'s, and the credential has no scope billing:read")
        }
    }
}
