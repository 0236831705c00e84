internal import BillingDomain
internal import Crypto
internal import EventLog
internal import Events
internal import JSON

/// `openledger verify FILE`: checks one event's proof, a receipt, or a proof of liabilities, with nothing but the file and a key. No server, database or network.
enum VerifyCommand {
    static let specification = ArgumentSpecification(
        command: "openledger verify",
        summary: "Checks a receipt, a proof of liabilities or the proof of one event, with no server and no network.",
        operands: ["FILE"],
        options: TrustOptions.options + [
            .init(name: "event", value: "FILE", help: "The event's bytes, where they are not in the proof."),
            .init(name: "json", value: nil, help: "Print the result as JSON."),
        ],
        notes: [
            "A receipt says who gets what and why; openledger receipt fetches one. Faults are named by the words of docs/receipts.md.",
            "A proof of liabilities says that all a holder had was counted in what the house said it owes; GET /v1/epochs/liabilities/proof has it.",
            "A proof says: this event stands at this position of this log, as signed for by the log's key or by witnesses. Give --key,\n"
                + "--key-file or --policy with what you got from someone you trust; a proof can't vouch for itself.",
            "Exit status: 0 it holds, 1 it does not, 2 it could not be read or the command not be understood.",
        ].joined(separator: "\n\n"))

    /// Runs it.
    /// - Returns: the exit status.
    static func run(_ typed: [String]) async -> Int32 { await run(typed, console: .standard) }

    static func run(_ typed: [String], console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let bytes = try SmallTextFile.bytes(arguments.operands[0], limit: Receipt.maximumBytes)
            let trust = try await TrustOptions.read(arguments, from: nil) { [] }
            if LiabilityProof.isProof(bytes) {
                guard arguments.value("event") == nil else { throw UsageError("--event is for proof files of one event") }
                return LiabilityReport.run(bytes, trust, asJSON: arguments.has("json"), console)
            }
            if ReceiptReport.isReceipt(bytes) {
                guard arguments.value("event") == nil else { throw UsageError("--event is for proof files; a receipt has its events") }
                return ReceiptReport.run(bytes, trust, asJSON: arguments.has("json"), console)
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw UsageError("\(arguments.operands[0]) is not UTF-8 text")
            }
            let given = try arguments.value("event").map { path throws(UsageError) in try SmallTextFile.bytes(path) }
            do {
                let proof = try TlogProof(parsing: text)
                let (signed, voucher) = try trust.verify(proof.checkpoint)
                let event = try proof.check(entry: given, under: signed)
                show(proof, event, signed.checkpoint, voucher, arguments.has("json"), console)
                return 0
            } catch let error where error is NoteError || error is ProofError {
                if arguments.has("json") {
                    console.out(String(decoding: JSON.write(["holds": false, "reason": .string("\(error)")]), as: UTF8.self))
                } else {
                    console.err("THE PROOF DOES NOT HOLD: \(error)")
                }
                return LogCommand.bad
            }
        }
    }

    private static func show(
        _ proof: TlogProof, _ event: [UInt8], _ checkpoint: Checkpoint, _ voucher: Voucher, _ asJSON: Bool, _ console: Console
    ) {
        let header = try? EventHeader(parsing: event)
        if asJSON {
            let json: JSONValue = [
                "holds": true, "origin": .string(checkpoint.origin), "position": .int(Int64(clamping: proof.index)),
                "size": .int(Int64(clamping: checkpoint.size)), "root": .string(checkpoint.root.prefixed),
                "trust": .string(voucher.description),
                "event": header == nil ? .null : (try? JSON.parse(event)) ?? .null,
            ]
            return console.out(String(decoding: JSON.write(json), as: UTF8.self))
        }
        if let header {
            console.out("event    \(header.type) v\(header.version), id \(header.id)")
            console.out("stream   \(header.stream)")
            console.out("time     \(header.time)")
            console.out("actor    \(header.actor)")
            console.out("cause    \(words(header.cause))")
            console.out("data     \(Text.size(UInt64(header.data.count))): \(excerpt(event[header.data]))")
        } else {
            console.out("entry    \(Text.size(UInt64(event.count))), not an OpenLedger event")
        }
        console.out("position \(Text.grouped(proof.index)) of \(Text.grouped(checkpoint.size)) in \(checkpoint.origin)")
        console.out("root     \(checkpoint.root.hex)")
        console.out("trust    \(voucher)")
        console.out("The proof holds.")
    }

    private static func words(_ cause: Cause) -> String {
        switch cause {
        case .command(let id, let digest): "command \(id), \(digest)"
        case .event(let id): "event \(id)"
        }
    }

    /// The beginning, with nothing in it that a terminal would act on.
    private static func excerpt(_ data: ArraySlice<UInt8>) -> String {
        let text = String(decoding: data.prefix(300), as: UTF8.self)
        let safe = String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint && $0.properties.generalCategory != .control }))
        return data.count > 300 ? safe + "…" : safe
    }
}
