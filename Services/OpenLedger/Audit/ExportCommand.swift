internal import Crypto
internal import EventLog
internal import JSON

/// `openledger export LOG FOLDER`: makes a bundle, or continues one.
enum ExportCommand {
    static let specification = ArgumentSpecification(
        command: "openledger export", summary: "Copies a log into a folder that proves itself, or continues such a copy.",
        operands: ["LOG", "FOLDER"],
        options: TrustOptions.options + [
            LogPlace.ca,
            .init(
                name: "evidence", value: "PLACE",
                help: "Where evidence is, when it is not beside the log: a bundle's folder or a log's URL."),
            .init(name: "log-only", value: nil, help: "Leave the evidence out: the bundle then proves the log, and no decision on it."),
            .init(name: "any-entries", value: nil, help: "The log holds something other than OpenLedger's events."),
            .init(name: "json", value: nil, help: "Print the result as JSON."),
        ],
        notes: [
            "The folder has the C2SP tlog-tiles layout: openledger audit FOLDER checks it, any web server can serve it.",
            "What it carries: every event, the tree, checkpoints, and the evidence that events name by its hash (lists of items, scores, entries of\n"
                + "settlements, statements of attributions, records of trainings). Never content, never keys, never personal data.",
            "What was broken off goes on where it stopped. Each checkpoint that it ended at is kept: a log that is rewritten later shows.",
            LogPlace.note, TrustOptions.note, LogCommand.statusNote,
        ].joined(separator: "\n\n"))

    /// Runs it.
    /// - Returns: the exit status.
    static func run(_ typed: [String]) async -> Int32 { await run(typed, console: .standard) }

    static func run(_ typed: [String], console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let folder = arguments.operands[1]
            let source = try LogPlace.source(arguments.operands[0], local: folder, ca: arguments.value("ca"))
            let trust = try await TrustOptions.read(arguments, from: source) {
                // The key that this folder began with binds the log more than one that it names today.
                let first = try await FolderLogSource(folder).keysIfThere()
                return first.isEmpty ? try await source.pinnedKeys() : first
            }
            let place: (any LogSource)? =
                try arguments.value("evidence").map { try LogPlace.source($0, ca: arguments.value("ca")) } ?? source
            let isBare = arguments.has("any-entries") || arguments.has("log-only")
            let export = LogExport(
                source, to: folder, trust: trust, entries: arguments.has("any-entries") ? .anything : .events,
                evidence: isBare ? nil : place)
            let line = ProgressLine("copied", console)
            let result = try await export.run { line.show(done: $0.done, total: $0.total, rate: $0.rate) }
            line.finish()
            let size = result.checkpoint.size
            if arguments.has("json") {
                let json: JSONValue = [
                    "folder": .string(folder), "origin": .string(result.checkpoint.origin), "size": .int(Int64(clamping: size)),
                    "root": .string(result.checkpoint.root.prefixed), "before": .int(Int64(clamping: result.before)),
                    "trust": .string(result.voucher.description), "evidence": result.evidence.map(json) ?? .null,
                ]
                console.out(String(decoding: JSON.write(json), as: UTF8.self))
            } else {
                console.out("log      \(result.checkpoint.origin)")
                console.out("size     \(Text.grouped(size)) events, \(Text.grouped(size - result.before)) of them new")
                console.out("root     \(result.checkpoint.root.hex)")
                console.out("trust    \(result.voucher)")
                if let evidence = result.evidence { console.out("evidence \(words(evidence))") }
                console.out("The bundle is in \(folder).")
            }
            return 0
        }
    }

    private static func words(_ evidence: EvidenceCopied) -> String {
        let fetched = "\(Text.grouped(UInt64(evidence.documents))) new documents (\(Text.size(evidence.bytes)))"
        guard let first = evidence.missing.first else { return fetched }
        return fetched
            + "; \(evidence.missing.count) are MISSING, the first named at position \(first.position): an audit of this bundle will name them"
    }

    private static func json(_ evidence: EvidenceCopied) -> JSONValue {
        [
            "documents": .int(Int64(evidence.documents)), "bytes": .int(Int64(clamping: evidence.bytes)),
            "missing": .array(
                evidence.missing.map { ["digest": .string($0.digest.prefixed), "position": .int(Int64(clamping: $0.position))] }),
        ]
    }
}
