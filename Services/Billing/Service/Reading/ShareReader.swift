internal import BillingDomain
internal import Events
internal import Money
internal import Postgres

/// From what became available on an account to the settlements that it is of.
///
/// A release pays what was settled since the last one that paid the account: where its owner was not verified then, also what waited for
/// that. What a settlement gave is what it moved on the pending account, with corrections, refunds and rulings counted in.
struct ShareReader: Sendable {
    let pool: PostgresPool

    private static let last = Statement(
        """
        select e.position from billing.entries e join billing.booked k on k.position = e.position
        where e.account = \(JournalReader.number) and e.position < $3 and k.type = 'settlement.released'
        order by e.position desc limit 1
        """, name: "release before")

    private static let shares = Statement(
        """
        with due as (
            select m.subject as settlement, ($5::bigint[])[width_bucket(m.position - 1, $5::bigint[]) + 1] as credit
            from billing.milestones m where m.type = 'settlement.released' and m.position > $3 and m.position <= $4),
        low as (select min(s.position) as position from due d join billing.settled s on s.settlement = d.settlement),
        paid as (
            select d.credit, s.settlement, s.kind, s.reference, s.position, sum(e.amount) as amount
            from low cross join lateral (
                select position, amount from billing.entries
                where account = \(JournalReader.number) and position >= low.position and position < $4) e
            join billing.booked k on k.position = e.position
            left join billing.disputes p on p.dispute = k.subject
            join due d on d.settlement = coalesce(p.settlement, k.subject)
            join billing.settled s on s.settlement = d.settlement
            where k.type in ('settlement.posted', 'settlement.corrected', 'refund.posted', 'dispute.resolved')
            group by 1, 2, 3, 4, 5 having sum(e.amount) <> 0),
        numbered as (
            select p.*, row_number() over w as place, count(*) over (partition by p.credit) as total
            from paid p window w as (partition by p.credit order by p.position, p.settlement))
        select credit, settlement, kind, reference, position, amount, total from numbered
        where place > $6 and place <= $7 order by credit, place
        """, name: "shares of releases")

    /// The lines with what their releases are made of, at most so many shares of each.
    func explained(_ lines: [StatementLine], of account: AccountID, _ asset: Asset, shown: Int) async throws -> [StatementLine] {
        let releases = lines.filter(\.isRelease).map { Int64($0.position) }
        guard !releases.isEmpty else { return lines }
        let found = try await shares(of: account, asset, at: releases, after: 0, limit: shown)
        return lines.map { line in
            guard let (shares, total) = found[Int64(line.position)] else { return line }
            var line = line
            line.shares = shares
            line.shareCount = total
            return line
        }
    }

    /// What releases that stand in an account's entries are made of, by position: a part of the list of each, and its length.
    func shares(
        of account: AccountID, _ asset: Asset, at releases: [Int64], after: Int, limit: Int
    ) async throws -> [Int64: (shares: [PaidShare], total: Int)] {
        let isPending = account.accountKind == .pending
        let pending = PostgresValue.text(isPending ? account.text : "pending:" + account.text)
        guard let first = releases.first, let last = releases.last else { return [:] }
        let before = try await pool.execute(Self.last, [pending, .text(asset.text), .int(first)]).first?.int(0) ?? -1
        let rows = try await pool.execute(
            Self.shares,
            [
                pending, .text(asset.text), .int(before), .int(last), .int8Array(releases), .int(Int64(after)),
                .int(Int64(after) + Int64(limit)),
            ])
        var found: [Int64: (shares: [PaidShare], total: Int)] = [:]
        for row in rows {
            let units = try row.int128(5), total = Int(try row.int(6))
            let share = PaidShare(
                settlement: try row.text(1), kind: try row.text(2), reference: try row.text(3), position: UInt64(try row.int(4)),
                // What leaves the pending account is what came in.
                amount: Amount(isPending ? -units : units, asset))
            found[try row.int(0), default: ([], total)].shares.append(share)
        }
        return found
    }
}
