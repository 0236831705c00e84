import Crypto
import Foundation
import JSON
import Money

/// Two disputes: a payer who wants the fee back, and an author who wants it to reach somebody else.
extension WayStory {
    /// A settlement whose shares a ruling changed: it stays open for a while, in which its money can't be had.
    struct Corrected: Sendable {
        let inference: String
        let settlement: String
        /// What each account has pending of it now, in minor units.
        let units: [String: Int128]
    }

    // MARK: The fee

    /// The app contests what an answer cost, with a bond; an arbiter finds for it; the fee flows back along its split.
    /// - Returns: the answer that was given back.
    func contestFee(_ cast: Cast, _ answers: [Answer], _ earned: [String: Earned]) async throws -> String {
        // The one that is furthest from what the row that was asked about says.
        let asked = answers.filter { $0.asker == cast.app.name }
        guard let answer = asked.min(by: { $0.likeness < $1.likeness }),
            let settlement = earned[answer.inference]?.settlement["id"]?.stringValue
        else {
            throw CommandError("there is no settlement to dispute")
        }
        let account = "payer:" + cast.app.principal
        let before = try await balance(of: account, cast.app)
        let dispute = try await openDispute(
            settlement, by: cast.app, from: account, "useless-answer", "The answer to \"\(answer.question)\" was of no use.")
        let bonded = try await balance(of: account, cast.app)
        _ = try await client.call(
            "POST", "/v1/rulings", as: administrator,
            json: ["about": "dispute", "subject": .string(dispute), "upheld": true, "reason": "The answer did not meet the question."])
        let asset = answer.fee.asset
        let due = before.units + answer.fee.units
        _ = try await client.wait(for: "the fee to come back", "/v1/accounts/\(account)", as: cast.app.token) {
            (try? Self.dollars("balance", in: $0))?.units == due
        }
        Terminal.say(
            "\n6. The app disputes the answer to \"\(answer.asked)\" with a bond of \(Amount(before.units - bonded.units, asset)); the arbiter upholds it."
        )
        Terminal.say("   The bond and the fee of \(answer.fee) are back, taken from everyone who had a part of it.")
        return answer.inference
    }

    // MARK: The shares

    /// An author says that another one's part of an answer is not theirs. The arbiter agrees: the attribution is corrected, and the fee
    /// shared out anew among the others, to the last unit.
    func contestShares(
        _ cast: Cast, _ answers: [Answer], _ earned: [String: Earned], besides refunded: String
    ) async throws -> Corrected {
        let open = answers.filter { $0.inference != refunded }.compactMap { contestable($0, cast, earned) }
        guard let contested = open.first(where: \.isBetweenPayees) ?? open.first else {
            throw CommandError("no answer was attributed to an author whose share could be contested")
        }
        let (answer, wrong, right) = (contested.answer, contested.wrong, contested.right)
        _ = try await deposit(Amount(1_000_000, answer.fee.asset), for: right)
        let dispute = try await openDispute(
            contested.settlement, by: right, from: "payer:" + right.principal, "wrong-author",
            "What \(wrong.name) has of \"\(answer.question)\" was copied.")
        _ = try await client.call(
            "POST", "/v1/rulings", as: administrator,
            json: [
                "about": "dispute", "subject": .string(dispute), "upheld": true, "pool": .string(contested.datanet),
                "penalties": [["principal": .string(wrong.principal), "points": 10_000]],
                "reason": "The rows stood elsewhere before, under another name.",
            ])
        let correction = try await onLog("settlement.corrected", "the settlement to be corrected") {
            $0["settlement"]?.stringValue == contested.settlement
        }
        var units = try Self.pending(in: contested.before)
        let account = "contributor:" + wrong.principal
        let lost = units[account, default: 0]
        units.merge(try Self.pending(in: correction)) { $0 + $1 }
        guard lost > 0, units[account] == 0, units.values.reduce(0, +) == answer.fee.units else {
            throw CommandError("the correction left \(wrong.name) \(units[account] ?? 0) units, and \(units.values.reduce(0, +)) in all")
        }
        Terminal.say(
            "\n7. \(right.name) contests what \(wrong.name) has of the answer to \"\(answer.asked)\": \(Amount(lost, answer.fee.asset)), for what was copied."
        )
        let gained = try Self.pending(in: correction).filter { $0.value > 0 && $0.key.hasPrefix("contributor:") }.count
        guard gained > 0 else { throw CommandError("the correction gave what \(wrong.name) had to no other author") }
        Terminal.say("   The arbiter agrees. The attribution is corrected and the fee shared out anew: \(gained) others have more now.")
        return Corrected(inference: answer.inference, settlement: contested.settlement, units: units)
    }

    /// An answer over which two authors could fall out.
    private struct Contestable {
        /// Whether both are paid for it.
        let isBetweenPayees: Bool
        let answer: Answer
        let settlement: String
        let datanet: String
        let wrong: WayPerson
        let right: WayPerson
        let before: JSONValue
    }

    private func contestable(_ answer: Answer, _ cast: Cast, _ earned: [String: Earned]) -> Contestable? {
        guard let earned = earned[answer.inference], let settlement = earned.settlement["id"]?.stringValue,
            earned.attribution["fallback"]?.boolValue != true, let units = try? Self.pending(in: earned.settlement)
        else { return nil }
        let paid = cast.authors.values.map { ($0, units["contributor:" + $0.principal, default: 0]) }.filter { $0.1 > 0 }
        let ranked = paid.sorted { ($0.1, $0.0.name) > ($1.1, $1.0.name) }.map(\.0)
        let shares = earned.attribution["shares"]?["entries"]?.arrayValue ?? earned.attribution["shares"]?.arrayValue ?? []
        // Who alone is paid may be contested by somebody who is not.
        let others = cast.authors.values.filter { one in !paid.contains { $0.0.principal == one.principal } }
        guard let first = ranked.first,
            let right = ranked.count > 1 ? first : others.min(by: { $0.name < $1.name })
        else { return nil }
        let wrong = ranked.count > 1 ? ranked[1] : first
        guard let share = shares.first(where: { $0["owner"]?.stringValue == wrong.principal }), let datanet = share["datanet"]?.stringValue
        else { return nil }
        return Contestable(
            isBetweenPayees: ranked.count > 1, answer: answer, settlement: settlement, datanet: datanet, wrong: wrong, right: right,
            before: earned.settlement)
    }

    /// What the postings of an event put on pending accounts, by account, in minor units.
    static func pending(in data: JSONValue) throws -> [String: Int128] {
        var units: [String: Int128] = [:]
        for posting in data["postings"]?["entries"]?.arrayValue ?? [] {
            guard let account = posting["account"]?.stringValue, account.hasPrefix("pending:") else { continue }
            units[String(account.dropFirst("pending:".count)), default: 0] += try amount(posting["amount"]).units
        }
        return units
    }

    // MARK: Both

    private func openDispute(
        _ settlement: String, by person: WayPerson, from account: String, _ reason: String, _ evidence: String
    ) async throws -> String {
        let opened = try await client.call(
            "POST", "/v1/disputes", as: person.token,
            json: [
                "settlement": .string(settlement), "account": .string(account), "reason": .string(reason),
                "evidence": .string(SHA256.hash(Array(evidence.utf8)).prefixed),
            ])
        guard let dispute = opened["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
            throw CommandError("no dispute came back")
        }
        return dispute
    }

    func balance(of account: String, _ person: WayPerson) async throws -> Amount {
        try Self.dollars("balance", in: try await client.call("GET", "/v1/accounts/\(account)", as: person.token))
    }

    /// A figure of an account in the story's asset.
    static func dollars(_ figure: String, in account: JSONValue) throws -> Amount {
        for entry in account["assets"]?.arrayValue ?? [] {
            let amount = try amount(entry[figure])
            if amount.asset.text == "USDC/6" { return amount }
        }
        throw CommandError("an account has no \(figure) in USDC/6")
    }
}
