internal import BillingDomain
internal import Events
internal import JSON
internal import Money
internal import Postgres

/// One line of a statement.
struct StatementLine: Sendable {
    let position: UInt64
    let time: Timestamp
    let type: String
    let subject: String
    let reference: String
    let amount: Amount
    let balance: Amount

    var json: JSONValue {
        .members([
            "position": .count(Int(position)), "time": .string(time.description), "type": .string(type), "subject": .string(subject),
            "reference": reference.isEmpty ? nil : .string(reference), "amount": amount.json, "balance": balance.json,
            "links": .members([
                "proof": .string(links.proof), "answer": links.answer.map { .string($0) },
                "attribution": links.attribution.map { .string($0) },
            ]),
        ])
    }

    /// Where what it is about can be looked at, relative to the house's address.
    var links: (proof: String, answer: String?, attribution: String?) {
        let proof = "/log/v1/events/\(position)/proof"
        let isPlain = reference.utf8.allSatisfy { byte in
            (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x5F || byte == 0x2D
        }
        guard isPlain, !reference.isEmpty, [HoldCaptured.type, SettlementPosted.type, JournalPosted.type].contains(type) else {
            return (proof, nil, nil)
        }
        if reference.hasPrefix("job_") { return (proof, "/v1/training-jobs/" + reference, nil) }
        return (proof, "/v1/inferences/" + reference, "/v1/attributions/" + reference)
    }

    static let header = "position,time,type,subject,reference,amount,balance,asset,proof\r\n"

    /// A line of RFC 4180; what people made cannot begin a formula in a spreadsheet.
    var csv: String {
        let texts = "\(CSVText.cell(subject)),\(CSVText.cell(reference))"
        return "\(position),\(time),\(type),\(texts),\(amount.decimal),\(balance.decimal),\(amount.asset),\(links.proof)\r\n"
    }
}

/// Reads the rows of ``JournalProjection``.
struct JournalReader: Sendable {
    let pool: PostgresPool

    /// The rows know an account by its number.
    static let number = "(select number from billing.balances where account = $1 and asset = $2)"

    private static let asOf = Statement(
        "select balance from billing.entries where account = \(number) and position <= $3 order by position desc limit 1",
        name: "balance as of")
    private static let lines = Statement(
        """
        select e.position, e.time, b.type, b.subject, b.reference, e.amount, e.balance
        from billing.entries e join billing.booked b on b.position = e.position
        where e.account = \(number) and e.position > $3 and e.time >= $4 and e.time < $5 order by e.position limit $6
        """, name: "statement")

    private static let before = Statement(
        "select coalesce(sum(amount), 0) from billing.entries where account = \(number) and time < $3", name: "balance before")

    /// What each account had when an epoch closed, one look into an index for each. Every epoch has an entry of `payout:evm`.
    private static let owed = Statement(
        """
        with closed as (
            select e.position from billing.entries e join billing.booked b on b.position = e.position
            where e.account = (select number from billing.balances where account = 'payout:evm' and asset = $1)
                and b.type = 'payout.epoch-closed'
            order by e.position offset $2 limit 1)
        select b.account, e.balance from closed c cross join billing.balances b cross join lateral (
            select balance from billing.entries
            where account = b.number and position <= c.position order by position desc limit 1) e
        where b.asset = $1 and e.balance > 0
        """, name: "owed")

    /// What the accounts were owed when an epoch closed, it counted in; nothing when the rows have not come so far.
    func liabilities(_ asset: Asset, epoch: Int) async throws -> [Liability] {
        let rows = try await pool.execute(Self.owed, [.text(asset.text), .int(Int64(epoch - 1))])
        var liabilities: [Liability] = []
        for row in rows {
            guard let account = AccountID(try row.text(0)), account.accountKind != .external else { continue }
            liabilities.append(Liability(account: account, units: UInt128(try row.int128(1))))
        }
        return liabilities
    }

    /// The sum of all entries before a moment.
    func balance(of account: AccountID, _ asset: Asset, before time: Timestamp) async throws -> Amount {
        let rows = try await pool.execute(Self.before, [.text(account.text), .text(asset.text), .int(time.microseconds)])
        return Amount(try rows.one().int128(0), asset)
    }

    /// The balance after everything up to a position.
    func balance(of account: AccountID, _ asset: Asset, at position: UInt64) async throws -> Amount {
        let rows = try await pool.execute(
            Self.asOf, [.text(account.text), .text(asset.text), .int(Int64(clamping: position))])
        return Amount(try rows.first.map { try $0.int128(0) } ?? 0, asset)
    }

    /// Entries within a period, in order, after a position.
    func statement(
        of account: AccountID, _ asset: Asset, from: Timestamp, to: Timestamp, after: Int64, limit: Int
    ) async throws -> [StatementLine] {
        let rows = try await pool.execute(
            Self.lines,
            [
                .text(account.text), .text(asset.text), .int(after), .int(from.microseconds), .int(to.microseconds), .int(Int64(limit)),
            ])
        return try rows.map { row in
            StatementLine(
                position: UInt64(try row.int(0)), time: Timestamp(microseconds: try row.int(1)), type: try row.text(2),
                subject: try row.text(3), reference: try row.text(4), amount: Amount(try row.int128(5), asset),
                balance: Amount(try row.int128(6), asset))
        }
    }
}
