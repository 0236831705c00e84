internal import Crypto
internal import Events
public import JSON
internal import Money

/// A model's card: Markdown with the head that hubs of models read, and nothing in it that is not on the log.
public struct ModelCard: Sendable {
    private let origin: ModelOrigin
    private let record: JSONValue?

    /// - Parameter record: what was recorded of the job, as it lies in the evidence store.
    public init(_ origin: ModelOrigin, record: JSONValue?) {
        self.origin = origin
        self.record = record
    }

    /// The card.
    public var text: String {
        let terms = origin.model.terms
        var lines = ["---"]
        if let licence = origin.base?.licence {
            lines.append("license: " + (licence.hasPrefix("LicenseRef") ? "other" : licence.lowercased()))
        }
        lines += ["base_model: \(terms.base)", "library_name: peft", "tags: [lora, openledger]", "---", "", "# \(terms.model)", ""]
        lines += [
            "Version \(terms.version), published \(origin.model.time) by `\(terms.owner)`"
                + (origin.model.isRetired ? ", **retired**." : "."), "",
        ]
        lines += table(
            "Base",
            [
                ("model", "`\(terms.base)`"), ("artefact", origin.base.map { "`\($0.artefact.prefixed)`" }),
                ("licence", origin.base?.licence),
                ("parameters", origin.base.map { "\($0.parameters)" }), ("adapter", terms.adapter.map { "`\($0.prefixed)`" }),
            ])
        lines += data
        lines += training
        lines += table(
            "Terms",
            [
                ("a request", terms.price.request.description), ("a million tokens of prompt", terms.price.input.description),
                ("a million tokens of answer", terms.price.output.description),
                (
                    "split in basis points",
                    "owner \(terms.split.owner), Datanets \(terms.split.datanets), contributors \(terms.split.contributors), validators "
                        + "\(terms.split.validators), compute \(terms.split.compute)"
                ), ("attribution", "`\(terms.attribution.rules)`, fallback \(terms.attribution.fallback)"),
                ("looks up", terms.retrieval.isEmpty ? "nothing" : terms.retrieval.joined(separator: ", ")),
            ])
        return lines.joined(separator: "\n")
    }

    private var data: [String] {
        guard !origin.sources.isEmpty else { return ["## Data", "", "No adapter: what the base learned from lies before the log.", ""] }
        var lines = ["## Data", "", "| Datanet | snapshot | root | items | tokens | licences |", "| --- | --- | --- | --- | --- | --- |"]
        for source in origin.sources {
            let whole = TrainingSummary.figures(source.report["whole"])
            let licences = source.report["licences"]?.arrayValue?.compactMap { $0["licence"]?.stringValue }.joined(separator: ", ") ?? ""
            lines.append(
                "| `\(source.snapshot.datanet)` | \(source.snapshot.number) | `\(source.snapshot.root.prefixed)` | \(whole.items) | \(whole.tokens) | \(licences) |"
            )
        }
        return lines + [""]
    }

    private var training: [String] {
        guard let job = origin.job, let done = job.completed else { return [] }
        func figure(_ name: String) -> String? { record?[name]?.intValue.map { "\($0)" } }
        let losses = record?["evaluations"]?.arrayValue?.compactMap { $0["holdout_loss_micros"]?.intValue } ?? []
        return table(
            "Training",
            [
                ("job", "`\(done.job)`"), ("runner", "`\(done.runner)`"), ("engine", record?["engine"]?.stringValue.map { "`\($0)`" }),
                ("steps", figure("steps")), ("rows", figure("rows")), ("tokens seen", "\(done.tokens)"), ("seed", figure("seed")),
                ("loss on held-out rows, before", losses.first.map(Self.nats)),
                ("loss on held-out rows, after", losses.last.map(Self.nats)),
                ("record", "`\(done.record.prefixed)`"),
                ("looked at by the house", job.checked.map { $0.agrees ? "yes, and it agrees" : "no" }),
            ])
    }

    /// Millionths as a number of nats a token.
    static func nats(_ micros: Int64) -> String {
        "\(micros / 1_000_000)." + String(String(micros % 1_000_000 + 1_000_000).dropFirst().prefix(4))
    }

    private func table(_ title: String, _ rows: [(String, String?)]) -> [String] {
        ["## \(title)", "", "| | |", "| --- | --- |"] + rows.compactMap { name, value in value.map { "| \(name) | \($0) |" } } + [""]
    }
}
