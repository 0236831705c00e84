internal import BillingDomain
internal import Crypto
internal import EventLog
internal import Events
internal import JSON
internal import Money

/// What `openledger verify` says about a receipt.
struct ReceiptReport {
    let receipt: Receipt
    let finding: ReceiptCheck.Finding
    let voucher: Voucher

    /// Whether a file is a receipt rather than a proof file.
    static func isReceipt(_ bytes: [UInt8]) -> Bool { bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{") }

    /// Checks a receipt and says what it found.
    /// - Returns: the exit status.
    static func run(_ bytes: [UInt8], _ trust: LogTrust, asJSON: Bool, _ console: Console) -> Int32 {
        do throws(ReceiptFault) {
            let receipt = try Receipt(parsing: bytes)
            let (finding, voucher) = try ReceiptCheck.check(receipt, trust: trust)
            let report = ReceiptReport(receipt: receipt, finding: finding, voucher: voucher)
            if asJSON {
                console.out(String(decoding: JSON.write(report.json), as: UTF8.self))
            } else {
                for line in report.lines { console.out(line) }
            }
            return 0
        } catch {
            if asJSON {
                let json: JSONValue = ["holds": false, "fault": .string(error.kind.rawValue), "reason": .string(error.reason)]
                console.out(String(decoding: JSON.write(json), as: UTF8.self))
            } else {
                console.err("THE RECEIPT DOES NOT HOLD: \(error)")
            }
            return LogCommand.bad
        }
    }

    var json: JSONValue {
        let settlements = finding.settlements.map { settled -> JSONValue in
            [
                "settlement": .string(settled.bill.id), "kind": .string(settled.bill.kind), "reference": .string(settled.bill.reference),
                "fee": settled.bill.fee.json, "payer": .string(settled.bill.payer.text), "units": .string(String(settled.part.units)),
                "left": .string(String(settled.part.left)), "state": .string(settled.part.state.rawValue),
                "release_at": .string(settled.bill.releaseAt.description),
                "items": .array(settled.part.sources.map { ["item": .string($0.item.item), "commitment": .digest($0.item.commitment)] }),
            ]
        }
        return [
            "holds": true, "subject": .string(receipt.subject), "payee": .string(receipt.payee.text), "amount": receipt.amount.json,
            "settlements": .array(settlements), "origin": .string(finding.checkpoint.origin),
            "size": .int(Int64(clamping: finding.checkpoint.size)), "root": .string(finding.checkpoint.root.prefixed),
            "events": .int(Int64(receipt.events.count)), "trust": .string(voucher.description),
            "vouched": receipt.voucher.map { .string($0.rawValue) } ?? .null,
        ]
    }

    /// For people.
    var lines: [String] {
        var lines = ["payee    \(receipt.payee)", "amount   \(receipt.amount)"]
        for settled in finding.settlements {
            lines += ["", "settled  \(settled.bill.id), at \(settled.time)"]
            lines += what(settled)
            lines += why(settled)
            lines += changes(settled)
            lines += from(settled)
            lines.append("state    \(state(settled))")
        }
        let first = receipt.events.first?.position ?? 0
        let last = receipt.events.last?.position ?? 0
        lines += [
            "",
            "proven   \(receipt.events.count) events at positions \(first) to \(last) of \(Text.grouped(finding.checkpoint.size)) in "
                + finding.checkpoint.origin,
            "root     \(finding.checkpoint.root.hex)",
            "trust    \(voucher)\(receipt.voucher == .log ? "; its writer had no witness's signature" : "")", "The receipt holds.",
        ]
        return lines
    }

    private func what(_ settled: ReceiptCheck.Settled) -> [String] {
        let fee = "fee \(settled.bill.fee), paid by \(settled.bill.payer)"
        guard let inference = settled.inference, let attribution = settled.attribution else {
            if let task = settled.task {
                return ["for      the stage \(task.milestone) of the task \(task.task), done by \(task.provider); \(fee)"]
            }
            guard let job = settled.training else { return [] }
            return ["for      the training \(job.job) on \(job.base), run by \(job.runner); \(fee)"]
        }
        var lines = [
            "for      the answer \(inference.inference) by \(inference.model) version \(inference.version), run by \(inference.runner); \(fee)"
        ]
        if let job = settled.training { lines.append("model    \(inference.base) with the adapter of \(job.job), \(job.adapter.prefixed)") }
        let methods = attribution.methods.filter { $0.weight > 0 }.map { "\($0.method) \(Self.percent($0.weight))" }
        lines.append(
            "shares   by \(attribution.fallback || methods.isEmpty ? "the fallback: no method was sure enough" : methods.joined(separator: ", "))"
        )
        return lines
    }

    private func why(_ settled: ReceiptCheck.Settled) -> [String] {
        var lines: [String] = []
        for way in settled.part.why {
            let steps = way.map { "\($0.name) \(Text.grouped($0.weight))/\(Text.grouped($0.of)) = \(amount($0.units))" }
            lines.append("\(lines.isEmpty ? "why     " : "and     ") \(amount(settled.bill.fee.units)) → \(steps.joined(separator: " → "))")
        }
        return lines
    }

    /// What flowed back, and what corrections gave to others or took from them.
    private func changes(_ settled: ReceiptCheck.Settled) -> [String] {
        let part = settled.part
        var lines = zip(part.corrections, settled.rulings).map { correction, ruling in
            let out = ruling.penalties.map(\.principal).joined(separator: ", ")
            let how = correction.why.map { "\(amount($0.last?.units ?? 0)) as \($0.map(\.name).joined(separator: " → "))" }
            let why = how.isEmpty ? "" : ": " + how.joined(separator: " and ")
            return "ruled    \(ruling.ruling) took \(out.isEmpty ? "nobody" : out) out of the attribution; since then it is "
                + amount(correction.units) + why
        }
        if !part.returns.isEmpty { lines.append("back     the fee flowed back in part or whole \(part.returns.count) times") }
        if part.left != part.units { lines.append("left     \(amount(part.left)) of \(amount(part.units))") }
        return lines
    }

    private func from(_ settled: ReceiptCheck.Settled) -> [String] {
        settled.part.sources.map { source in
            let reason =
                switch source.named {
                case .spans: "words of the answer stand in it"
                case .passages: "the answer used a passage of it"
                case .owner: "its owner's work as a whole"
                }
            return
                "from     \(source.item.item) of \(source.item.contribution) by \(source.item.owner), \(source.item.licence): \(reason); "
                + "commitment \(source.item.commitment.prefixed)"
        }
    }

    private func state(_ settled: ReceiptCheck.Settled) -> String {
        switch settled.part.state {
        case .disputed: "disputed: kept until a ruling. Pending: the ruling, the release, the payout"
        case .corrected: "a ruling gave all of it to others; nothing is pending"
        case .returned: "all of it flowed back to the payer; nothing is pending"
        case .heldBack: "held back until \(settled.bill.releaseAt), while it can be disputed. Pending: the release, the payout"
        case .waiting: "waits until \(receipt.payee.owner) is verified. Pending: that, and the payout"
        case .credited: "credited to \(receipt.payee). Pending: the payout"
        case .onItsWay: "on its way out. Pending: that it arrives"
        case .paid: "paid out"
        }
    }

    private func amount(_ units: Int128) -> String { "\(Amount(units, receipt.amount.asset).decimal)" }

    private static func percent(_ billionths: Int) -> String {
        let tenths = (billionths + 500_000) / 1_000_000
        return "\(tenths / 10).\(tenths % 10) %"
    }
}
