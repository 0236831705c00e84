import BillingDomain
import EventLog
import Events
import HTTP
import HTTPClient
import JSON

extension WayStory {
    /// Fetches the receipt of each payee of each answer and checks it with nothing but the log's key, as a payee would. Together they lead
    /// from the commitments to what was brought to the payout and to the claim on a chain, some over a corrected settlement.
    func receipts(_ answers: [Answer], _ earned: [String: Earned], _ corrected: Corrected, _ paidOut: PaidOut) async throws {
        var tally = Tally()
        for answer in answers {
            guard let settlement = earned[answer.inference]?.settlement, let id = settlement["id"]?.stringValue else { continue }
            for payee in try Self.pending(in: settlement).keys.sorted() { tally.count(try await receipt(of: id, for: payee)) }
        }
        tally.count(try await receipt(of: paidOut.payout, for: paidOut.account))
        guard !tally.items.isEmpty else { throw CommandError("no receipt leads back to an item") }
        guard tally.states.isSuperset(of: [.paid, .onItsWay, .heldBack, .returned]) else {
            throw CommandError("the receipts end only at \(tally.states.map(\.rawValue).sorted().joined(separator: ", "))")
        }
        guard tally.corrections > 0 else { throw CommandError("no receipt shows the correction of \(corrected.settlement)") }
        Terminal.say(
            "   \(tally.receipts) receipts lead from the commitments (\(tally.items.count) items in all) to the amounts: \(tally.claims) on to the epoch, one to the payout, \(tally.corrections) over the correction. All hold by the log's key alone."
        )
    }

    private func receipt(of id: String, for payee: String) async throws -> Receipt {
        let path = "/v1/receipts/\(id)?account=\(payee)"
        let bytes = try await client.send("GET", path, as: administrator, bytes: nil, type: "application/json")
        try shelf.keep(receipt: bytes, of: payee, for: id)
        let trust = try LogTrust(keys: [log])
        do throws(ReceiptFault) {
            let receipt = try Receipt(parsing: bytes)
            _ = try ReceiptCheck.check(receipt, trust: trust)
            return receipt
        } catch { throw CommandError("the receipt of \(payee) for \(id) does not hold: \(error)") }
    }

    /// What the receipts show together.
    private struct Tally {
        var receipts = 0
        var items: Set<String> = []
        var states: Set<ReceiptState> = []
        var claims = 0
        var corrections = 0

        mutating func count(_ receipt: Receipt) {
            receipts += 1
            states.formUnion(receipt.settlements.map(\.state))
            items.formUnion(receipt.settlements.flatMap { $0.sources.map(\.item.item) })
            if receipt.payouts.contains(where: { if case .wallet = $0 { true } else { false } }) { claims += 1 }
            if receipt.settlements.contains(where: { !$0.corrections.isEmpty }) { corrections += 1 }
        }
    }
}
