import JSON
import Money

/// Who earned how much, and why: the end of the story.
struct WaySummary: Sendable {
    let cast: WayStory.Cast
    let data: [WayData]
    let answers: [WayStory.Answer]
    let earned: [String: WayStory.Earned]

    func tell() throws {
        Terminal.say("\nWho earned what, and why")
        var totals: [String: Int128] = [:]
        var asset: Asset?
        for answer in answers {
            guard let earned = earned[answer.inference] else { continue }
            for posting in earned.settlement["postings"]?["entries"]?.arrayValue ?? earned.settlement["postings"]?.arrayValue ?? [] {
                guard let account = posting["account"]?.stringValue, let amount = try? WayStory.amount(posting["amount"]), amount.isPositive
                else { continue }
                totals[account, default: 0] += amount.units
                asset = amount.asset
            }
        }
        guard let asset, !totals.isEmpty else { throw CommandError("no settlement has postings") }
        for (account, units) in totals.sorted(by: { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }) {
            let amount = Amount(units, asset).description
            Terminal.say("   \(String(repeating: " ", count: max(0, 16 - amount.count)))\(amount)  \(label(account))")
        }
        let whole = try Amount.sum(answers.map(\.fee), of: asset)
        Terminal.say("   \(answers.count) answers paid \(whole); the lines above add up to it, to the last unit.")
        guard totals.values.reduce(0, +) == whole.units else {
            throw CommandError("the postings make \(Amount(totals.values.reduce(0, +), asset)), the fees \(whole)")
        }
        for answer in answers { explain(answer) }
    }

    /// An account in words.
    private func label(_ account: String) -> String {
        let parts = account.split(separator: ":")
        guard let owner = parts.last.map(String.init) else { return account }
        let kind = parts.dropLast().joined(separator: " ")
        return "\(kind) \(cast.name(of: owner))"
    }

    private func explain(_ answer: WayStory.Answer) {
        guard let attribution = earned[answer.inference]?.attribution else { return }
        Terminal.say("\n   \"\(answer.question)\"  (\(answer.asker), \(answer.fee))")
        let methods = (attribution["methods"]?.arrayValue ?? []).compactMap { method -> String? in
            guard let name = method["method"]?.stringValue, let weight = method["weight"]?.intValue, weight > 0 else { return nil }
            return "\(name) \(weight / 10_000_000) %"
        }
        Terminal.say("   by \(methods.isEmpty ? "the fallback: no method was sure enough" : methods.joined(separator: ", "))")
        let shares = (attribution["shares"]?["entries"]?.arrayValue ?? attribution["shares"]?.arrayValue ?? []).compactMap {
            share -> (String, Int64)? in
            guard let owner = share["owner"]?.stringValue, let part = share["share"]?.intValue else { return nil }
            return (owner, part)
        }
        for (owner, part) in shares.sorted(by: { $0.1 > $1.1 }).prefix(3) {
            Terminal.say("      \(part / 10_000_000) %  \(cast.name(of: owner))")
        }
    }
}
