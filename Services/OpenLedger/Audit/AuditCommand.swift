internal import Crypto
internal import EventLog
internal import JSON

/// `openledger audit LOG`: goes through a whole log and names the first thing that is wrong with it.
enum AuditCommand {
    static let specification = ArgumentSpecification(
        command: "openledger audit", summary: "Checks a whole log: every event, every hash, every signature.",
        operands: ["LOG"],
        options: TrustOptions.options + [
            .init(
                name: "checkpoints", value: "FOLDER", help: "Checkpoints kept elsewhere, that the log must continue (a bundle's folder).",
                isRepeated: true),
            .init(
                name: "any-entries", value: nil,
                help: "The log holds something other than OpenLedger's events: check hashes and signatures only."),
            .init(name: "threads", value: "N", help: "How many threads check events; 2 unless said otherwise."),
            .init(name: "json", value: nil, help: "Print the result as JSON."),
        ] + RetrainOptions.options,
        notes: [LogPlace.note, TrustOptions.note, RetrainOptions.note, LogCommand.statusNote].joined(separator: "\n\n"))

    /// Runs it.
    /// - Returns: the exit status.
    static func run(_ typed: [String]) async -> Int32 { await run(typed, console: .standard) }

    static func run(_ typed: [String], console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            if let job = arguments.value("retrain") {
                return try await RetrainAudit(job: job, arguments: arguments, console: console).run()
            }
            let threads = try arguments.integer("threads", in: 1...64, default: 2)
            let source = try LogPlace.source(arguments.operands[0])
            let trust = try await TrustOptions.read(arguments) { try await source.pinnedKeys() }
            let audit = LogAudit(
                source, trust: trust, entries: arguments.has("any-entries") ? .anything : .events,
                kept: arguments.all("checkpoints").map { FolderLogSource($0) }, threads: threads)
            let line = ProgressLine("checked", console)
            let report = try await audit.run { line.show(done: $0.done, total: $0.total, rate: $0.rate) }
            line.finish()
            console.out(arguments.has("json") ? String(decoding: JSON.write(json(report)), as: UTF8.self) : words(report))
            return report.isGood ? 0 : LogCommand.bad
        }
    }

    private static func words(_ report: AuditReport) -> String {
        var lines: [String] = []
        let progress = report.progress
        if let checkpoint = report.checkpoint {
            lines.append("log      \(checkpoint.origin)")
            lines.append("size     \(Text.grouped(checkpoint.size)) events")
            lines.append("root     \(checkpoint.root.hex)")
        }
        if let voucher = report.voucher { lines.append("trust    \(voucher)") }
        lines.append(
            "checked  \(Text.grouped(progress.done)) events (\(Text.size(progress.bytes))), \(Text.grouped(report.tiles)) tiles, \(report.kept.count) kept checkpoints"
        )
        lines.append("time     \(Text.seconds(progress.elapsed)), \(Text.grouped(UInt64(progress.rate))) events/s")
        if let fault = report.fault {
            lines.append("THE LOG IS BAD: \(fault)")
        } else {
            lines.append("The log is sound.")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ report: AuditReport) -> JSONValue {
        var fault = JSONValue.null
        if let found = report.fault {
            fault = [
                "kind": .string(found.kind.rawValue), "position": number(found.position), "below": number(found.below),
                "reason": .string(found.reason),
            ]
        }
        return [
            "origin": report.checkpoint.map { .string($0.origin) } ?? .null, "size": number(report.checkpoint?.size),
            "root": report.checkpoint.map { .string($0.root.prefixed) } ?? .null,
            "trust": report.voucher.map { .string($0.description) } ?? .null, "events": number(report.progress.done),
            "bytes": number(report.progress.bytes), "tiles": number(report.tiles), "kept": .array(report.kept.map { number($0) }),
            "milliseconds": .int(Int64(report.progress.elapsed / Duration.milliseconds(1))), "sound": .bool(report.isGood), "fault": fault,
        ]
    }

    private static func number(_ value: UInt64?) -> JSONValue { value.map { .int(Int64(clamping: $0)) } ?? .null }
}
