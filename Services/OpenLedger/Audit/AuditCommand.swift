internal import Crypto
internal import EventLog
internal import JSON
internal import Replay

/// `openledger audit LOG`: goes through a whole log, decides everything on it again, and names the first thing that is wrong with it.
enum AuditCommand {
    static let specification = ArgumentSpecification(
        command: "openledger audit",
        summary: "Checks a whole log: every event, every hash, every signature, and every decision, computed again.",
        operands: ["LOG"],
        options: TrustOptions.options + [
            LogPlace.ca,
            .init(
                name: "checkpoints", value: "FOLDER", help: "Checkpoints kept elsewhere, that the log must continue (a bundle's folder).",
                isRepeated: true),
            .init(
                name: "evidence", value: "PLACE",
                help: "Where evidence is, when it is not beside the log: a bundle's folder or a log's URL."),
            .init(
                name: "resume", value: "FILE", help: "Write down here how far the audit has come; go on from there when it is run again."),
            .init(name: "log-only", value: nil, help: "Check bytes, tree and signatures; decide nothing again and read no evidence."),
            .init(
                name: "any-entries", value: nil,
                help: "The log holds something other than OpenLedger's events: check hashes and signatures only."),
            .init(name: "threads", value: "N", help: "How many threads check events; 2 unless said otherwise."),
            .init(name: "json", value: nil, help: "Print the result as JSON."),
        ] + RetrainOptions.options,
        notes: [
            "Each service's state is folded from the log, each of its events is decided again by the rules, from upstream events and evidence,\n"
                + "and compared with what stands there. What nobody outside can check, such as sealed content, is named in the report.",
            LogPlace.note, TrustOptions.note, RetrainOptions.note, LogCommand.statusNote,
        ].joined(separator: "\n\n"))

    /// Runs it.
    /// - Returns: the exit status.
    static func run(_ typed: [String]) async -> Int32 { await run(typed, console: .standard) }

    static func run(_ typed: [String], console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            if let job = arguments.value("retrain") {
                return try await RetrainAudit(job: job, arguments: arguments, console: console).run()
            }
            let threads = try arguments.integer("threads", in: 1...64, default: 2)
            let source = try LogPlace.source(arguments.operands[0], ca: arguments.value("ca"))
            let trust = try await TrustOptions.read(arguments, from: source) { try await source.pinnedKeys() }
            let kept = arguments.all("checkpoints").map { FolderLogSource($0) }
            let line = ProgressLine("checked", console)
            let progress: @Sendable (LogProgress) -> Void = { line.show(done: $0.done, total: $0.total, rate: $0.rate) }
            let found: AuditText
            if arguments.has("any-entries") || arguments.has("log-only") {
                let audit = LogAudit(
                    source, trust: trust, entries: arguments.has("any-entries") ? .anything : .events, kept: kept, threads: threads)
                found = AuditText(log: try await audit.run(progress: progress), replay: nil)
            } else {
                found = try await replayed(arguments, source, trust, kept, threads, progress)
            }
            line.finish()
            console.out(arguments.has("json") ? String(decoding: JSON.write(found.json), as: UTF8.self) : found.words)
            return found.isGood ? 0 : LogCommand.bad
        }
    }

    private static func replayed(
        _ arguments: Arguments, _ source: any LogSource, _ trust: LogTrust, _ kept: [any LogSource], _ threads: Int,
        _ progress: @escaping @Sendable (LogProgress) -> Void
    ) async throws -> AuditText {
        var audit = FullAudit(
            log: source, trust: trust,
            evidence: try arguments.value("evidence").map { try LogPlace.source($0, ca: arguments.value("ca")) } ?? source, kept: kept,
            threads: threads)
        if let path = arguments.value("resume") {
            let checkpoint = try await source.checkpoint()
            let memory = AuditMemory(path: path, origin: (try? SignedCheckpoint(unverified: checkpoint).checkpoint.origin) ?? "")
            audit.earlier = try memory.read()
            audit.whenReached = { try memory.write($0) }
            let report = try await audit.run(progress: progress)
            if report.isGood, let end = report.log.checkpoint { try memory.write(.init(size: end.size, root: end.root), atOnce: true) }
            return AuditText(log: report.log, replay: report.replay)
        }
        let report = try await audit.run(progress: progress)
        return AuditText(log: report.log, replay: report.replay)
    }
}
