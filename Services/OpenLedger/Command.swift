/// One verb of the program.
struct Command: Sendable {
    let name: String
    let summary: String
    /// Runs with what was typed after the verb; returns the exit status.
    let run: @Sendable ([String]) async throws -> Int32

    /// All verbs, in the order that `openledger --help` shows them.
    static let all: [Command] = [
        Command(
            name: "demo", summary: "See the whole way of the data, from contributions to payouts, in a few minutes.", run: DemoCommand.run),
        Command(name: "up", summary: "Run everything in one process, on a private PostgreSQL.", run: UpCommand.run),
        Command(name: "serve", summary: "Run one service, as a deployment does.", run: ServeCommand.run),
        Command(name: "migrate", summary: "Bring the database's schema and roles up to date.", run: MigrateCommand.run),
        Command(name: "rebuild", summary: "Make the rows that a service keeps of the log anew, or compare them.", run: RebuildCommand.run),
        Command(name: "audit", summary: "Check a whole log, from a server or an exported bundle.", run: AuditCommand.run),
        Command(name: "verify", summary: "Check a receipt or .tlog-proof file, with no server and no network.", run: VerifyCommand.run),
        Command(name: "receipt", summary: "Fetch a settlement's or payout's receipt: who gets what, and why.", run: ReceiptCommand.run),
        Command(name: "export", summary: "Write a log into a folder that can be audited anywhere.", run: ExportCommand.run),
        Command(name: "mirror", summary: "Keep a verified, cosigned copy of a log, and serve it.", run: MirrorCommand.run),
        Command(name: "model", summary: "Fetch, check or make base models.", run: ModelCommand.run),
        Command(name: "evaluate", summary: "Measure attribution: whether it is right, and what attacks earn.", run: EvaluateCommand.run),
        Command(name: "token", summary: "Make a signed token from a key file.", run: TokenCommand.run),
        Command(name: "key", summary: "Make a key file, or rotate the log's key.", run: KeyCommand.run),
    ]

    /// What `openledger --help` prints.
    static var help: String {
        let width = all.map(\.name.count).max() ?? 0
        return """
            OpenLedger \(Version.text): payouts that a stranger can recompute.

            usage: openledger COMMAND [options]

            \(all.map { "  " + $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.summary }.joined(separator: "\n"))

            openledger COMMAND --help tells more.
            """
    }
}
