internal import BillingDomain
internal import Crypto
internal import EventLog
internal import Events
internal import JSON
internal import Money

/// What `openledger verify` says about a proof that a holder's balances were counted.
enum LiabilityReport {
    /// Checks a proof and says what it found.
    /// - Returns: the exit status.
    static func run(_ bytes: [UInt8], _ trust: LogTrust, asJSON: Bool, _ console: Console) -> Int32 {
        do throws(ReceiptFault) {
            let proof = try LiabilityProof(parsing: bytes)
            let (closed, checkpoint, voucher) = try proof.check(trust: trust)
            if asJSON {
                console.out(String(decoding: JSON.write(json(proof, closed, checkpoint, voucher)), as: UTF8.self))
            } else {
                for line in lines(proof, closed, checkpoint, voucher) { console.out(line) }
            }
            return 0
        } catch {
            if asJSON {
                let json: JSONValue = ["holds": false, "fault": .string(error.kind.rawValue), "reason": .string(error.reason)]
                console.out(String(decoding: JSON.write(json), as: UTF8.self))
            } else {
                console.err("THE PROOF DOES NOT HOLD: \(error)")
            }
            return LogCommand.bad
        }
    }

    private static func json(
        _ proof: LiabilityProof, _ closed: PayoutEpochClosed, _ checkpoint: Checkpoint, _ voucher: Voucher
    ) -> JSONValue {
        [
            "holds": true, "holder": .string(proof.holder), "asset": .string(proof.asset.text), "epoch": .int(Int64(proof.epoch)),
            "total": .string(String(proof.total)),
            "accounts": .array(
                proof.parts.map {
                    ["account": .string($0.liability.account.text), "balance": .string(String($0.liability.units))]
                }),
            "owed": closed.liabilities.json, "position": .int(Int64(proof.event.position)), "origin": .string(checkpoint.origin),
            "root": .string(checkpoint.root.prefixed), "trust": .string(voucher.description),
        ]
    }

    private static func lines(
        _ proof: LiabilityProof, _ closed: PayoutEpochClosed, _ checkpoint: Checkpoint, _ voucher: Voucher
    ) -> [String] {
        var lines = ["holder   \(proof.holder), epoch \(proof.epoch) in \(proof.asset)"]
        for part in proof.parts { lines.append("counted  \(decimal(part.liability.units, proof.asset)) on \(part.liability.account)") }
        lines.append("together \(decimal(proof.total, proof.asset)) of \(closed.liabilities.decimal) that the house owed")
        lines.append("position \(Text.grouped(UInt64(proof.event.position))) of \(Text.grouped(checkpoint.size)) in \(checkpoint.origin)")
        lines.append("root     \(checkpoint.root.hex)")
        lines.append("trust    \(voucher)")
        lines.append("The proof holds.")
        return lines
    }

    /// What is proven is part of a sum that an amount can have.
    private static func decimal(_ units: UInt128, _ asset: Asset) -> String { Amount(Int128(clamping: units), asset).decimal }
}
