internal import BillingDomain
internal import Events
internal import JSON
internal import Money
internal import Paper

/// What a payer was charged in a period.
struct Invoice: Sendable {
    /// All answers of one version of a model, or all trainings.
    struct Line: Sendable {
        let what: String
        let version: Int
        let count: Int
        let input: Int
        let output: Int
        let fee: Amount

        var name: String { version > 0 ? "\(what)@\(version)" : what }
    }

    let account: AccountID
    let period: Period
    let lines: [Line]
    let refunds: Amount
    let deposits: Amount

    /// The same payer, asset and period have the same number.
    var number: String {
        let days = [period.from, period.to].map { $0.description.prefix(10) }.joined(separator: "-")
        return "\(account.owner)-\(refunds.asset.code)-\(days)"
    }

    func fees() throws -> Amount { try lines.reduce(.zero(refunds.asset)) { try $0.adding($1.fee) } }
    func total() throws -> Amount { try fees().subtracting(refunds) }

    func json() throws -> JSONValue {
        [
            "number": .string(number), "account": .string(account.text), "from": .string(period.from.description),
            "to": .string(period.to.description),
            "lines": .array(
                lines.map { line in
                    [
                        "what": .string(line.name), "count": .count(line.count), "input_tokens": .count(line.input),
                        "output_tokens": .count(line.output), "fee": line.fee.json,
                    ]
                }), "fees": try fees().json, "refunds": refunds.json, "total": try total().json, "deposits": deposits.json,
        ]
    }

    func csv() throws -> String {
        var text = "what,count,input_tokens,output_tokens,fee,asset\r\n"
        for line in lines {
            text += "\(CSVText.cell(line.name)),\(line.count),\(line.input),\(line.output),\(line.fee.decimal),\(line.fee.asset)\r\n"
        }
        return text + "\"refunds\",,,,-\(refunds.decimal),\(refunds.asset)\r\n\"total\",,,,\(try total().decimal),\(refunds.asset)\r\n"
    }

    func paper(made: String) throws -> PaperDocument {
        let rows = lines.map { line in
            PaperTable.Row([line.name, String(line.count), String(line.input), String(line.output), line.fee.decimal])
        }
        return PaperDocument(
            title: "Invoice \(number)", made: made,
            blocks: [
                .heading("Invoice \(number)"),
                .facts([
                    ("Account", account.text), ("From", period.from.description), ("To", period.to.description),
                    ("Asset", refunds.asset.text),
                ]),
                .table(
                    PaperTable(
                        columns: [
                            .init("What", width: 3), .init("Count", width: 1, isNumber: true),
                            .init("Tokens in", width: 1.2, isNumber: true),
                            .init("Tokens out", width: 1.2, isNumber: true), .init("Fee", width: 1.6, isNumber: true),
                        ], rows: rows)),
                .facts([
                    ("Fees", try fees().decimal), ("Refunds", refunds.decimal), ("Total", try total().decimal),
                    ("Paid in", deposits.decimal),
                ]), .text("Fees were taken from prepaid credit when they fell due. Every one of them stands on the log."),
            ])
    }
}

/// A cell of RFC 4180.
enum CSVText {
    /// In quotes; what people made cannot begin a formula in a spreadsheet.
    static func cell(_ text: String) -> String {
        let safe = text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}
