import Crypto
import EventLog
import Events
import Foundation
import JSON
import RunnerService

/// `openledger audit LOG --retrain JOB`: audits the log, then repeats a job that it tells of.
struct RetrainAudit {
    let job: String
    let arguments: Arguments
    let console: Console

    /// - Returns: the exit status.
    func run() async throws -> Int32 {
        let place = arguments.operands[0]
        let house = try RetrainHouse(log: place, arguments)
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-retrain-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let source = try LogPlace.source(place, ca: arguments.value("ca"))
        let trust = try await TrustOptions.read(arguments, from: source) { try await source.pinnedKeys() }
        // What is audited is what is read afterwards: a server's log is copied first.
        if house != nil { _ = try await LogExport(source, to: scratch, trust: trust).run() }
        let log = FolderLogSource(house == nil ? place : scratch)
        let report = try await LogAudit(log, trust: trust, threads: try arguments.integer("threads", in: 1...64, default: 2)).run()
        if let fault = report.fault { throw fault }
        let facts = try await RetrainFacts.read(job, from: log, size: report.checkpoint?.size ?? 0)
        let material = try await RetrainMaterial.read(facts, folder: arguments.value("rows"), house: house, note: console.err)
        return try await repeated(facts, material)
    }

    private func repeated(_ facts: RetrainFacts, _ material: RetrainMaterial) async throws -> Int32 {
        let completed = facts.completed
        let retraining = try Retraining(
            Retraining.Job(
                id: completed.job, base: completed.base, baseArtefact: facts.baseArtefact, snapshots: completed.snapshots,
                settings: material.settings, record: material.record),
            base: arguments.value("base"))
        if let doubt = retraining.doubt { console.err("the job may not be repeatable here: \(doubt)") }
        let redraw = console.redraw
        let start = ContinuousClock.now
        let comparesRows = completed.rows != nil && !arguments.has("no-rows")
        let outcome = try await retraining.run(rows: material.rows, attribution: comparesRows) { step, steps in
            redraw?("trained \(step) of \(steps) steps")
        }
        redraw?("")
        let time = ContinuousClock.now - start
        let isSame = outcome.adapter == completed.adapter && (!comparesRows || outcome.attribution == completed.rows)
        // Bytes that come out the same are the same, whatever computed them; others say nothing where they could not but differ.
        let doubt = isSame ? nil : retraining.doubt
        console.out(
            arguments.has("json") ? json(facts, material, outcome, time, doubt) : words(facts, material, outcome, time, doubt))
        return isSame ? 0 : doubt == nil ? LogCommand.bad : LogCommand.usage
    }

    private func words(
        _ facts: RetrainFacts, _ material: RetrainMaterial, _ outcome: Retraining.Outcome, _ time: Duration, _ doubt: String?
    ) -> String {
        let completed = facts.completed
        func recorded(_ name: String) -> String {
            material.record[name].map { String(decoding: JSON.write($0), as: UTF8.self) } ?? "?"
        }
        let level = material.record["kernel_level"]?.stringValue ?? "?"
        var lines = [
            "job      \(completed.job) on \(completed.base), completed at position \(Text.grouped(facts.position))"
        ]
        for snapshot in facts.snapshots {
            lines.append(
                "rows     \(Text.grouped(UInt64(snapshot.items))) of snapshot \(snapshot.number) of \(snapshot.datanet), root as on the log"
            )
        }
        lines += [
            "then     \(level), \(recorded("threads")) threads, \(recorded("steps")) steps, last loss \(recorded("final_loss_micros")) millionths",
            "now      \(outcome.level), \(outcome.threads) threads, \(outcome.steps) steps, last loss \(outcome.finalLossMicros) millionths, in \(Text.seconds(time))",
            "adapter  \(completed.adapter.prefixed) on the log",
            "         \(outcome.adapter.prefixed) repeated",
            outcome.adapter == completed.adapter
                ? "The adapter is what these rows make."
                : doubt == nil ? "THE ADAPTER IS ANOTHER ONE than these rows make." : "Another adapter came out here.",
        ]
        if let rows = outcome.attribution, let recorded = completed.rows {
            lines += [
                "rows     \(recorded.prefixed) on the log, for attribution", "         \(rows.prefixed) repeated",
                rows == recorded
                    ? "The attribution rows are what these rows make."
                    : doubt == nil ? "THE ATTRIBUTION ROWS ARE OTHER ONES than these rows make." : "Other attribution rows came out here.",
            ]
        } else if completed.rows != nil {
            lines.append("The attribution rows were not compared.")
        }
        if let doubt {
            lines.append("THE JOB CANNOT BE REPEATED HERE: \(doubt). What came out proves nothing; a machine with that library can tell.")
        }
        return lines.joined(separator: "\n")
    }

    private func json(
        _ facts: RetrainFacts, _ material: RetrainMaterial, _ outcome: Retraining.Outcome, _ time: Duration, _ doubt: String?
    ) -> String {
        let recorded = facts.completed.rows
        let value: JSONValue = [
            "job": .string(facts.completed.job), "position": .int(Int64(clamping: facts.position)), "base": .string(facts.completed.base),
            "base_artefact": .string(facts.baseArtefact.prefixed),
            "snapshots": .array(facts.completed.snapshots.map(\.json)), "settings": material.settings, "record": material.record,
            "adapter": .string(facts.completed.adapter.prefixed), "attribution_rows": recorded.map { .string($0.prefixed) } ?? .null,
            "repeated": [
                "adapter": .string(outcome.adapter.prefixed),
                "attribution_rows": outcome.attribution.map { .string($0.prefixed) } ?? .null, "kernel_level": .string(outcome.level),
                "threads": .int(Int64(outcome.threads)),
                "steps": .int(Int64(outcome.steps)), "final_loss_micros": .int(Int64(outcome.finalLossMicros)),
                "rows": .int(Int64(outcome.rows)), "holdout_rows": .int(Int64(outcome.heldOut)),
                "milliseconds": .int(Int64(time / Duration.milliseconds(1))),
            ],
            "same": .bool(
                outcome.adapter == facts.completed.adapter && (outcome.attribution == nil || outcome.attribution == recorded)),
            "not_repeatable_here": doubt.map { .string($0) } ?? .null,
        ]
        return String(decoding: JSON.write(value), as: UTF8.self)
    }
}
