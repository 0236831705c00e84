import JSON
import Money

/// Who asked what, what was answered, who earned how much, and why.
struct WaySummary: Sendable {
    let cast: WayStory.Cast
    /// Datanets' names by id.
    let datanets: [String: String]
    let answers: [WayStory.Answer]
    let earned: [String: WayStory.Earned]
    /// The answer whose fee was given back.
    let refunded: String
    /// What each account has of the fees in the end, in minor units.
    let final: [String: Int128]

    func tell() throws {
        Terminal.say("\nWhat was asked, and whose work answered it")
        for answer in answers { explain(answer) }
        try whoEarned()
    }

    private func whoEarned() throws {
        Terminal.say("\nWho earned how much of it")
        guard let asset = answers.first?.fee.asset, !final.isEmpty else { throw CommandError("no settlement has postings") }
        for (account, units) in final.sorted(by: { $0.value == $1.value ? $0.key < $1.key : $0.value > $1.value }) {
            Terminal.say("   \(DemoText.right(Amount(units, asset).description, 16))  \(label(account))")
        }
        let whole = try Amount.sum(answers.map(\.fee), of: asset)
        let back = try Amount.sum(answers.filter { $0.inference == refunded }.map(\.fee), of: asset)
        let left = Amount(whole.units - back.units, asset)
        let total = final.values.reduce(0, +)
        guard total == left.units else { throw CommandError("the accounts have \(Amount(total, asset)) of \(left)") }
        Terminal.say(
            "   \(answers.count) answers cost \(whole), \(back) of it was given back; the lines above add up to the rest, to the last unit."
        )
    }

    /// An account in words.
    private func label(_ account: String) -> String {
        let parts = account.split(separator: ":")
        guard let owner = parts.last.map(String.init) else { return account }
        let kind = parts.dropLast().joined(separator: " ")
        return "\(kind) \(datanets[owner] ?? cast.name(of: owner))"
    }

    private func explain(_ answer: WayStory.Answer) {
        guard let attribution = earned[answer.inference]?.attribution else { return }
        Terminal.say("\n   \(answer.asker): \"\(answer.question)\"  \(answer.fee)\(answer.inference == refunded ? ", given back" : "")")
        Terminal.say("   \(DemoText.line(answer.text, atMost: 150))")
        let methods = (attribution["methods"]?.arrayValue ?? []).compactMap { method -> String? in
            guard let name = method["method"]?.stringValue, let weight = method["weight"]?.intValue, weight > 0 else { return nil }
            return "\(name) \(DemoText.percent(weight))"
        }
        Terminal.say("      by \(methods.isEmpty ? "the fallback: no method was sure enough" : methods.joined(separator: ", "))")
        let shares = (attribution["shares"]?["entries"]?.arrayValue ?? attribution["shares"]?.arrayValue ?? []).compactMap {
            share -> (String, Int64)? in
            guard let owner = share["owner"]?.stringValue, let part = share["share"]?.intValue else { return nil }
            return (owner, part)
        }
        for (owner, part) in shares.sorted(by: { $0.1 > $1.1 }).prefix(3) {
            Terminal.say("      \(DemoText.right(DemoText.percent(part), 7))  \(cast.name(of: owner))")
        }
    }
}
