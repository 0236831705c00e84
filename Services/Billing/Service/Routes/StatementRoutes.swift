internal import BillingDomain
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Money
internal import Paper
internal import Threads
internal import Web

/// What people are shown of their money: statements, invoices, earnings.
struct StatementRoutes: Sendable {
    let commands: BillingCommands
    let reader: JournalReader
    let shares: ShareReader
    let bills: BillsReader
    let items: EarnedItems
    let clock: @Sendable () -> Timestamp

    var routes: [Route] { [statement, answers, invoice, earnings] }

    private typealias C = BillingCommands

    private static let period = [
        QueryParameter("account", C.account, "The account.", required: true),
        QueryParameter("asset", C.asset, "The asset.", required: true),
        QueryParameter("from", .text(.time), "From this moment on."), QueryParameter("to", .text(.time), "Before this moment."),
    ]

    private var statement: Route {
        Route(
            .get, "/v1/statements", operation: "statement", summary: "An account's entries within a period, with the balance after each.",
            access: .authenticated,
            query: Page.parameters(limit: 1...1_000) + Self.period + [
                QueryParameter("format", .oneOf("json", "csv", "pdf"), "JSON when left out; a PDF has the whole period.")
            ],
            replies: [.json(200, "A page of entries, in order; or CSV; or PDF.", Page.schema(.any, atMost: 1_000))],
            problems: [.forbidden, Self.tooMuch]
        ) { [reader, shares, clock] context in
            let (account, asset, period) = try await asked(context)
            let format = context.query.string("format")
            if format == "pdf" {
                var lines = try await reader.statement(
                    of: account, asset, from: period.from, to: period.to, after: -1, limit: PrintedStatement.maximumLines + 1)
                if lines.count <= PrintedStatement.maximumLines {
                    lines = try await shares.explained(lines, of: account, asset, shown: PrintedStatement.maximumLines)
                }
                guard lines.reduce(lines.count, { $0 + $1.shareCount }) <= PrintedStatement.maximumLines else {
                    throw Problem(Self.tooMuch, "the period has more than \(PrintedStatement.maximumLines) entries: ask for a shorter one")
                }
                let statement = PrintedStatement(
                    account: account, period: period, opening: try await reader.balance(of: account, asset, before: period.from),
                    lines: lines, base: context.request.headers["Host"].map { "https://" + $0 } ?? "")
                return try await Self.pdf(statement.paper(made: Self.seconds(clock())))
            }
            let page = Page(context)
            let codec = CursorCodec(list: "statement")
            let after = try page.cursor.map { Int64(try codec.decode($0).first ?? "") ?? -1 } ?? -1
            let lines = try await reader.statement(
                of: account, asset, from: period.from, to: period.to, after: after, limit: page.limit + 1)
            let shown = try await shares.explained(
                Array(lines.prefix(page.limit)), of: account, asset, shown: StatementLine.shownShares)
            let next = lines.count > shown.count ? shown.last.map { codec.encode([String($0.position)]) } : nil
            guard format == "csv" else { return page.response(shown.map { $0.json(of: account) }, next: next) }
            var headers: Headers = ["Content-Type": "text/csv"]
            if let next { headers.set("Next-Cursor", next) }
            return Response(
                headers: headers, body: .bytes(Array((StatementLine.header + shown.map { $0.csv(of: account) }.joined()).utf8)))
        }
    }

    private var answers: Route {
        Route(
            .get, "/v1/statements/answers", operation: "statementAnswers",
            summary: "The answers, trainings and tasks that an entry which became available is made of.", access: .authenticated,
            query: Page.parameters(limit: 1...1_000) + [
                QueryParameter("account", C.account, "The account.", required: true),
                QueryParameter("asset", C.asset, "The asset.", required: true),
                QueryParameter("position", .count, "The entry's.", required: true),
            ],
            replies: [.json(200, "A page of shares, in the order of their settlements.", Page.schema(.any, atMost: 1_000))],
            problems: [.forbidden, .notFound]
        ) { [reader, shares] context in
            let (account, asset, _) = try await asked(context)
            let position = Int64(context.query.integer("position") ?? 0)
            let line = try await reader.statement(
                of: account, asset, from: Timestamp(microseconds: 0), to: .maximum, after: position - 1, limit: 1
            ).first
            guard let line, Int64(line.position) == position, line.isRelease else {
                throw Problem(.notFound, "\(account) has no entry at \(position) by which something became available")
            }
            let page = Page(context)
            let codec = CursorCodec(list: "answers")
            let after = try page.cursor.map { Int(try codec.decode($0).first ?? "") ?? 0 } ?? 0
            let found = try await shares.shares(of: account, asset, at: [position], after: after, limit: page.limit)[position]
            let shown = found?.shares ?? []
            return page.response(
                shown.map(\.json), next: after + shown.count < found?.total ?? 0 ? codec.encode([String(after + shown.count)]) : nil)
        }
    }

    private var invoice: Route {
        Route(
            .get, "/v1/statements/invoices", operation: "invoice", summary: "What a payer was charged in a period, by model.",
            access: .authenticated,
            query: Self.period + [QueryParameter("format", .oneOf("json", "csv", "pdf"), "JSON when left out.")],
            replies: [.json(200, "The invoice; or CSV; or PDF.", .any)], problems: [.forbidden]
        ) { [bills, clock] context in
            let (account, asset, period) = try await asked(context)
            guard account.accountKind == .payer else { throw Problem(.badQuery, "is no payer's account", field: "account") }
            let invoice = try await bills.invoice(to: account, asset, period)
            switch context.query.string("format") {
            case "csv": return Response(headers: ["Content-Type": "text/csv"], body: .bytes(Array(try invoice.csv().utf8)))
            case "pdf": return try await Self.pdf(try invoice.paper(made: Self.seconds(clock())))
            default: return .json(try invoice.json())
            }
        }
    }

    private var earnings: Route {
        Route(
            .get, "/v1/statements/earnings", operation: "earnings",
            summary: "What an account earned in a period, by model and Datanet, or by model and item.", access: .authenticated,
            query: Self.period + [
                QueryParameter("by", .oneOf("datanet", "item"), "By Datanet when left out; items are a contributor's.")
            ],
            replies: [.json(200, "The sums.", .any)], problems: [.forbidden, Self.tooMuch]
        ) { [bills, items] context in
            let (account, asset, period) = try await asked(context)
            let kind = context.query.string("by").flatMap { Earnings.Kind(rawValue: $0) } ?? .datanet
            let lines = try await bills.earned(by: account, asset, period)
            let most = kind == .item ? EarnedItems.maximumSettlements : BillsReader.maximumSettlements
            guard lines.count <= most else {
                throw Problem(Self.tooMuch, "the period has more than \(most) settlements: ask for a shorter one")
            }
            var earnings = Earnings(account, asset, by: kind)
            for line in lines {
                let isItem = kind == .item && account.accountKind == .contributor
                try earnings.add(line, items: isItem ? try await items.weights(of: String(account.owner), in: line) : [])
            }
            return .json(earnings.json)
        }
    }

    private static let tooMuch = ProblemType("period-too-long", 422, "The period has too much in it")

    private func asked(_ context: RequestContext) async throws -> (AccountID, Asset, Period) {
        guard let account = AccountID(context.query.string("account") ?? "") else {
            throw Problem(.badQuery, "is no account", field: "account")
        }
        try await context.mayRead(account, commands)
        let from = try Self.moment(context.query.string("from"), "from") ?? Timestamp(microseconds: 0)
        let to = try Self.moment(context.query.string("to"), "to") ?? .maximum
        return (account, try context.query.asset(), Period(from: from, to: to))
    }

    private static func moment(_ text: String?, _ field: String) throws -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(text) else { throw Problem(.badQuery, "must have six fractional digits and Z", field: field) }
        return time
    }

    /// ISO 8601 in whole seconds, as a PDF's dates are.
    private static func seconds(_ time: Timestamp) -> String { time.description.prefix(19) + "Z" }

    private static func pdf(_ document: PaperDocument) async throws -> Response {
        let bytes = try await OSThread.run(name: "paper") { try document.pdf() }
        return Response(headers: ["Content-Type": "application/pdf"], body: .bytes(bytes))
    }
}
