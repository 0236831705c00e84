import BillingDomain
import EventLog
import Events
import HTTP
import HTTPClient
import JSON

extension WayStory {
    /// Fetches the receipt of each payee of each answer and checks it with nothing but the log's key, as a payee would.
    func receipts(_ answers: [Answer], _ earned: [String: Earned]) async throws {
        let trust = try LogTrust(keys: [log])
        var checked = 0
        var items: Set<String> = []
        for answer in answers {
            guard let settlement = earned[answer.inference]?.settlement, let id = settlement["id"]?.stringValue else { continue }
            let postings = settlement["postings"]?["entries"]?.arrayValue ?? []
            for account in postings.compactMap({ $0["account"]?.stringValue }) where account.hasPrefix("pending:") {
                let payee = String(account.dropFirst("pending:".count))
                let reply = try await client.call("GET", "/v1/receipts/\(id)?account=\(payee)", as: administrator)
                do throws(ReceiptFault) {
                    let receipt = try Receipt(parsing: JSON.write(reply))
                    _ = try ReceiptCheck.check(receipt, trust: trust)
                    items.formUnion(receipt.settlements.flatMap { $0.sources.map(\.item.item) })
                } catch { throw CommandError("the receipt of \(payee) for \(answer.inference) does not hold: \(error)") }
                checked += 1
            }
        }
        guard checked > 0, !items.isEmpty else { throw CommandError("no receipt leads back to an item") }
        Terminal.say(
            "   \(checked) receipts, each from the commitments to its amount (\(items.count) items in all), hold by the log's key alone.")
    }
}
