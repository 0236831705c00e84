internal import BillingDomain
internal import Events
internal import Money
internal import Postgres

/// Reads the rows of ``JournalProjection``.
struct JournalReader: Sendable {
    let pool: PostgresPool

    /// The rows know an account by its number.
    static let number = "(select number from billing.balances where account = $1 and asset = $2)"

    private static let asOf = Statement(
        "select balance from billing.entries where account = \(number) and position <= $3 order by position desc limit 1",
        name: "balance as of")
    /// What is about a settlement, or a dispute of one, is about what was settled.
    private static let lines = Statement(
        """
        select e.position, e.time, b.type, b.subject, coalesce(nullif(b.reference, ''), s.reference, ''), e.amount, e.balance
        from billing.entries e join billing.booked b on b.position = e.position
        left join billing.disputes d on d.dispute = b.subject
        left join billing.settled s on s.settlement = coalesce(d.settlement, b.subject)
        where e.account = \(number) and e.position > $3 and e.time >= $4 and e.time < $5 order by e.position limit $6
        """, name: "statement")

    private static let before = Statement(
        "select coalesce(sum(amount), 0) from billing.entries where account = \(number) and time < $3", name: "balance before")

    /// What each account had after a position, one look into an index for each.
    private static let owed = Statement(
        """
        select b.account, e.balance from billing.balances b cross join lateral (
            select balance from billing.entries where account = b.number and position <= $2 order by position desc limit 1) e
        where b.asset = $1 and e.balance > 0
        """, name: "owed")

    /// What the accounts were owed after a position; nothing of what the rows do not have yet.
    func liabilities(_ asset: Asset, at position: Int) async throws -> [Liability] {
        let rows = try await pool.execute(Self.owed, [.text(asset.text), .int(Int64(position))])
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
