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
        ])
    }

    static let header = "position,time,type,subject,reference,amount,balance,asset\r\n"

    /// A line of RFC 4180; what people made cannot begin a formula in a spreadsheet.
    var csv: String {
        let texts = [subject, reference].map { text -> String in
            let safe = text.first.map { "=+-@\t".contains($0) } == true ? "'" + text : text
            return "\"" + safe.replacing("\"", with: "\"\"") + "\""
        }
        return "\(position),\(time),\(type),\(texts[0]),\(texts[1]),\(amount.decimal),\(balance.decimal),\(amount.asset)\r\n"
    }
}

/// Reads the rows of ``JournalProjection``.
struct JournalReader: Sendable {
    let pool: PostgresPool

    private static let asOf = Statement(
        "select balance from billing.entries where account = $1 and asset = $2 and position <= $3 order by position desc limit 1",
        name: "balance as of")
    private static let lines = Statement(
        """
        select position, time, type, subject, reference, amount, balance from billing.entries
        where account = $1 and asset = $2 and position > $3 and time >= $4 and time < $5 order by position limit $6
        """, name: "statement")

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
