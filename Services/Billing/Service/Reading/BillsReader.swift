internal import BillingDomain
internal import Events
internal import JSON
internal import Money
internal import Postgres

/// Reads the rows of ``BillsProjection`` beside those of ``JournalProjection``.
struct BillsReader: Sendable {
    let pool: PostgresPool

    /// At most so many settlements are gone through for one answer.
    static let maximumSettlements = 100_000

    private static let earned = Statement(
        """
        select s.reference, s.kind, coalesce(a.model, ''), coalesce(a.version, 0), coalesce(c.shares, a.shares, ''), sum(e.amount),
            s.attributed, max(e.position) filter (where k.type = 'settlement.corrected')
        from billing.entries e
        join billing.booked k on k.position = e.position
        left join billing.disputes d on d.dispute = k.subject
        join billing.settled s on s.settlement = coalesce(d.settlement, k.subject)
        left join billing.answers a on a.reference = s.reference
        left join billing.corrections c on c.attribution = a.attribution
        where e.account = \(JournalReader.number) and e.time >= $3 and e.time < $4
            and k.type in ('settlement.posted', 'settlement.corrected', 'refund.posted', 'dispute.resolved')
        group by 1, 2, 3, 4, 5, s.attributed order by 1 limit $5
        """, name: "earned")

    private static let invoiced = Statement(
        """
        select coalesce(nullif(a.model, ''), s.kind), coalesce(a.version, 0), count(*), coalesce(sum(a.input_tokens), 0)::bigint,
            coalesce(sum(a.output_tokens), 0)::bigint, sum(s.fee)
        from billing.settled s join billing.booked k on k.position = s.position
        left join billing.answers a on a.reference = s.reference
        where s.payer = $1 and s.asset = $2 and s.time < $4 and k.time >= $3 and k.time < $4
        group by 1, 2 order by 1, 2
        """, name: "invoiced")

    private static let sums = Statement(
        """
        select k.type, count(*), sum(e.amount) from billing.entries e join billing.booked k on k.position = e.position
        where e.account = \(JournalReader.number) and e.time >= $3 and e.time < $4 group by 1 order by 1
        """, name: "sums")

    /// Of what rulings gave to an account in a period, the bonds that it had put up for them itself: those are no fees that flow back.
    private static let bonds = Statement(
        """
        select coalesce(-sum(o.amount), 0) from billing.entries e
        join billing.booked k on k.position = e.position and k.type = 'dispute.resolved'
        join billing.disputes d on d.dispute = k.subject
        join billing.milestones m on m.type = 'dispute.opened' and m.subject = d.settlement
        join billing.booked b on b.position = m.position and b.subject = k.subject
        join billing.entries o on o.account = e.account and o.position = m.position
        where e.account = \(JournalReader.number) and e.time >= $3 and e.time < $4
        """, name: "bonds")

    /// What an account earned in a period, by settlement.
    func earned(by account: AccountID, _ asset: Asset, _ period: Period) async throws -> [EarnedLine] {
        let rows = try await pool.execute(
            Self.earned,
            [
                .text("pending:" + account.text), .text(asset.text), .int(period.from.microseconds), .int(period.to.microseconds),
                .int(Int64(Self.maximumSettlements + 1)),
            ])
        return try rows.map { row in
            let shares = try row.text(4)
            return EarnedLine(
                attributed: UInt64(try row.int(6)), corrected: try row.optionalInt(7).map { UInt64($0) },
                reference: try row.text(0), kind: try row.text(1), model: try row.text(2), version: Int(try row.int(3)),
                shares: shares.isEmpty ? .null : try JSON.parse(Array(shares.utf8)), amount: Amount(try row.int128(5), asset))
        }
    }

    /// What a payer was charged for in a period, by model, and what moved besides.
    func invoice(to account: AccountID, _ asset: Asset, _ period: Period) async throws -> Invoice {
        let parameters: [PostgresValue] = [
            .text(account.text), .text(asset.text), .int(period.from.microseconds), .int(period.to.microseconds),
        ]
        let lines = try await pool.execute(Self.invoiced, parameters).map { row in
            Invoice.Line(
                what: try row.text(0), version: Int(try row.int(1)), count: Int(try row.int(2)), input: Int(try row.int(3)),
                output: Int(try row.int(4)), fee: Amount(try row.int128(5), asset))
        }
        var refunds: Int128 = 0
        var deposits: Int128 = 0
        for row in try await pool.execute(Self.sums, parameters) {
            switch try row.text(0) {
            case RefundPosted.type, DisputeResolved.type: refunds += try row.int128(2)
            case DepositReceived.type: deposits += try row.int128(2)
            default: break
            }
        }
        refunds -= try await pool.execute(Self.bonds, parameters).one().int128(0)
        return Invoice(
            account: account, period: period, lines: lines, refunds: Amount(refunds, asset), deposits: Amount(deposits, asset))
    }
}

/// From a moment on, before another.
struct Period: Sendable {
    let from: Timestamp
    let to: Timestamp
}
