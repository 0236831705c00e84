internal import BillingDomain
internal import Events
internal import Money
internal import Paper

/// An account's entries of a period, as a document to read and print.
struct PrintedStatement: Sendable {
    /// At most so many entries, and parts of entries, stand in one document.
    static let maximumLines = 10_000

    let account: AccountID
    let period: Period
    let opening: Amount
    let lines: [StatementLine]
    /// What links begin with: the house's address.
    let base: String

    func paper(made: String) -> PaperDocument {
        var rows: [PaperTable.Row] = []
        for line in lines {
            rows.append(
                PaperTable.Row(
                    [
                        String(line.position), String(line.time.description.prefix(19)), line.type,
                        line.reference.isEmpty ? line.subject : line.reference, line.amount.decimal, line.balance.decimal,
                    ], link: base + (line.links.attribution ?? line.links.answer ?? line.links.proof)))
            // What a release is made of stands beneath it, each part with the way to its own attribution.
            for share in line.shares {
                rows.append(
                    PaperTable.Row(
                        ["", "", "of " + share.kind, share.reference, share.amount.decimal, ""],
                        link: base + (share.links.attribution ?? share.links.answer ?? share.links.proof)))
            }
        }
        let closing = lines.last?.balance ?? opening
        return PaperDocument(
            title: "Statement of \(account) in \(opening.asset)", made: made,
            blocks: [
                .heading("Statement"),
                .facts([
                    ("Account", account.text), ("Asset", opening.asset.text), ("From", period.from.description),
                    ("To", period.to == .maximum ? "now" : period.to.description), ("Balance before", opening.decimal),
                    ("Balance after", closing.decimal),
                ]),
                .table(
                    PaperTable(
                        columns: [
                            .init("Position", width: 1, isNumber: true), .init("Time", width: 1.7), .init("Event", width: 1.7),
                            .init("About", width: 2.6), .init("Amount", width: 1.5, isNumber: true),
                            .init("Balance", width: 1.6, isNumber: true),
                        ], rows: rows)),
                .text(
                    "The position is the event's place on the log. \(base)/log/v1/events/<position>/proof has the proof that it stands there; "
                        + "openledger verify checks it, and openledger audit computes every amount again."),
            ])
    }
}
