internal import Crypto
internal import EventLog
internal import Events
internal import JSON
internal import Replay

/// What an audit found, for people and for machines.
struct AuditText: Sendable {
    let log: AuditReport
    /// Nil when nothing was decided again.
    let replay: ReplayReport?

    var isGood: Bool { log.isGood && replay?.isGood != false }

    // MARK: Words

    var words: String {
        var lines: [String] = []
        let progress = log.progress
        if let checkpoint = log.checkpoint {
            lines.append("log      \(checkpoint.origin)")
            lines.append("size     \(Text.grouped(checkpoint.size)) events")
            lines.append("root     \(checkpoint.root.hex)")
        }
        if let voucher = log.voucher { lines.append("trust    \(voucher)") }
        lines.append(
            "checked  \(Text.grouped(progress.done)) events (\(Text.size(progress.bytes))), \(Text.grouped(log.tiles)) tiles, \(log.kept.count) kept checkpoints"
        )
        lines += replay.map(told) ?? ["replay   none: only bytes, tree and signatures were asked for"]
        lines.append("time     \(Text.seconds(progress.elapsed)), \(Text.grouped(UInt64(progress.rate))) events/s")
        if let fault = log.fault { lines.append("THE LOG IS BAD: \(fault)") }
        for fault in replay?.faults ?? [] { lines.append("THE LOG IS BAD: \(fault)") }
        if isGood {
            lines.append(replay == nil ? "The log is sound." : "The log is sound, and every decision on it is what the rules make.")
        }
        return lines.joined(separator: "\n")
    }

    private func told(_ replay: ReplayReport) -> [String] {
        var lines: [String] = []
        if replay.from > 0 {
            lines.append("replay   from position \(Text.grouped(replay.from)) on; what lies before was decided again by an earlier run")
        }
        for service in replay.services where service.events + service.folded > 0 || !service.faults.isEmpty {
            let checked = service.checked.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map {
                "\(Text.grouped(UInt64($0.value))) \($0.key)"
            }
            let name = service.service.rawValue
            let more = checked.isEmpty ? "" : ": " + checked.joined(separator: ", ")
            lines.append(
                "replay   \(name)\(String(repeating: " ", count: max(0, 14 - name.count)))\(Text.grouped(service.events)) events decided again\(more)"
            )
        }
        let gaps = Self.gaps(replay)
        if !gaps.isEmpty { lines.append("not checked, and why:") }
        for (gap, count) in gaps { lines.append("         \(gap.what) (\(Text.grouped(UInt64(count)))): \(gap.why)") }
        return lines
    }

    /// Gaps of all services, the same ones together, in the order in which they were met.
    private static func gaps(_ replay: ReplayReport) -> [(gap: ReplayGap, count: Int)] {
        var order: [ReplayGap] = []
        var counts: [ReplayGap: Int] = [:]
        for counted in replay.services.flatMap(\.gaps) {
            if counts[counted.gap] == nil { order.append(counted.gap) }
            counts[counted.gap, default: 0] += counted.count
        }
        return order.map { ($0, counts[$0] ?? 0) }
    }

    // MARK: JSON

    var json: JSONValue {
        var fault = JSONValue.null
        if let found = log.fault {
            fault = [
                "kind": .string(found.kind.rawValue), "position": Self.number(found.position), "below": Self.number(found.below),
                "reason": .string(found.reason),
            ]
        }
        return [
            "origin": log.checkpoint.map { .string($0.origin) } ?? .null, "size": Self.number(log.checkpoint?.size),
            "root": log.checkpoint.map { .string($0.root.prefixed) } ?? .null,
            "trust": log.voucher.map { .string($0.description) } ?? .null, "events": Self.number(log.progress.done),
            "bytes": Self.number(log.progress.bytes), "tiles": Self.number(log.tiles), "kept": .array(log.kept.map { Self.number($0) }),
            "milliseconds": .int(Int64(log.progress.elapsed / Duration.milliseconds(1))), "sound": .bool(isGood), "fault": fault,
            "replay": replay.map(Self.json) ?? .null,
        ]
    }

    private static func json(_ replay: ReplayReport) -> JSONValue {
        [
            "from": number(replay.from), "sound": .bool(replay.isGood),
            "faults": .array(
                replay.faults.map {
                    [
                        "service": .string($0.service.rawValue), "position": number($0.position), "type": .string($0.type),
                        "rule": .string($0.rule), "reason": .string($0.reason),
                    ]
                }),
            "services": .array(
                replay.services.map { service in
                    [
                        "service": .string(service.service.rawValue), "events": number(service.events), "folded": number(service.folded),
                        "checked": .object(
                            JSONObject(service.checked.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.int(Int64($0.value))) })),
                        "not_checked": .array(
                            service.gaps.map {
                                [
                                    "what": .string($0.gap.what), "why": .string($0.gap.why), "count": .int(Int64($0.count)),
                                    "first": number($0.first),
                                ]
                            }),
                    ]
                }),
        ]
    }

    private static func number(_ value: UInt64?) -> JSONValue { value.map { .int(Int64(clamping: $0)) } ?? .null }
}
