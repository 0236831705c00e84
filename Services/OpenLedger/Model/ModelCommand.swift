/// `openledger model`: base models in folders.
enum ModelCommand {
    private static let verbs: [(name: String, summary: String, run: @Sendable ([String], Console) async -> Int32)] = [
        ("pull", "Bring a base model into a folder, from another folder or a Hugging Face repository.", { await PullModel.run($0, $1) }),
        ("verify", "Check a base model's files against its record, or that they fit one another.", { await VerifyModel.run($0, $1) }),
        ("train-base", "Make the base model that ships with the product anew, and compare.", { await TrainBaseModel.run($0, $1) }),
    ]

    /// Runs the verb.
    /// - Returns: the exit status.
    static func run(_ words: [String]) async throws -> Int32 { try await run(words, console: .standard) }

    static func run(_ words: [String], console: Console) async throws -> Int32 {
        guard let verb = words.first else { throw UsageError("say what to do: \(names); see openledger model --help") }
        if verb == "--help" || verb == "-h" { throw UsageError(help: help) }
        guard let known = verbs.first(where: { $0.name == verb }) else {
            throw UsageError("there is no openledger model \(verb): it is \(names)")
        }
        return await known.run(Array(words.dropFirst()), console)
    }

    private static var names: String { verbs.map(\.name).joined(separator: ", ") }

    private static var help: String {
        let width = verbs.map(\.name.count).max() ?? 0
        let lines = verbs.map { "  " + $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.summary }
        return "usage: openledger model VERB [options]\n\n" + lines.joined(separator: "\n")
            + "\n\nopenledger model VERB --help tells more.\n"
    }
}
