import Foundation
import JSON
import Money

/// People who review: their stakes, their votes, and an appeal against a wrong one.
extension WayStory {
    private static let stake: Int128 = 5_000_000

    /// Gives every validator a seat; each bonds a stake that a wrong vote can cost.
    func seatValidators(_ cast: Cast, in datanet: String) async throws {
        let stake = Amount(Self.stake, try Asset("USDC/6"))
        for validator in cast.validators {
            _ = try await client.call(
                "POST", "/v1/datanets/\(datanet)/members", as: cast.maya.token,
                json: ["principal": .string(validator.principal), "role": "validator"])
            let account = "validator:" + validator.principal
            _ = try await client.call(
                "POST", "/v1/accounts", as: validator.token, json: ["account": .string(account), "asset": "USDC/6"])
            _ = try await client.call(
                "POST", "/v1/accounts/\(account)/deposits", as: administrator,
                json: ["amount": stake.json, "rail": "sandbox", "reference": .string("demo-stake-\(validator.principal)")])
            _ = try await client.call(
                "POST", "/v1/stakes", as: validator.token,
                json: ["pool": .string(datanet), "account": .string(account), "amount": stake.json])
        }
    }

    /// A panel of one, drawn by the log's own root, decides on a contribution. The first one is refused out of hand: its author appeals,
    /// a fresh panel finds otherwise, and who voted wrongly pays for it.
    func review(_ contribution: String, of author: WayPerson, in datanet: String, _ cast: Cast, isRefusedFirst: Bool) async throws {
        let first = try await drawn(for: contribution, round: 1, in: datanet, cast)
        guard isRefusedFirst else {
            return try await vote(true, "It says what it says it says, and says it once.", in: first, datanet)
        }
        try await vote(false, "I do not care for the subject.", in: first, datanet)
        _ = try await client.wait(for: "the verdict", "/v1/datanets/\(datanet)/reviews/\(first.review)", as: author.token) {
            $0["outcome"] != nil
        }
        _ = try await client.call(
            "POST", "/v1/datanets/\(datanet)/contributions/\(contribution)/appeals", as: author.token,
            json: ["reason": "Taste is no reason: the rows are ours, licensed, and on the Datanet's subject."])
        let second = try await drawn(for: contribution, round: 2, in: datanet, cast)
        guard second.judge.principal != first.judge.principal else { throw CommandError("the same validator sat twice") }
        try await vote(true, "On the subject, well sourced; nothing in the rules speaks against it.", in: second, datanet)
        let account = "validator:" + first.judge.principal
        let left = try await client.wait(
            for: "the wrong vote to cost its stake", "/v1/stakes?account=\(account)&pool=\(datanet)&asset=USDC/6", as: first.judge.token
        ) { (try? Self.amount($0["bonded"]))?.units ?? Self.stake < Self.stake }
        let kept = try Self.amount(left["bonded"]).units
        guard kept == 0 else { throw CommandError("the wrong vote left \(first.judge.name) \(kept) units of the stake") }
        let lost = Amount(Self.stake, try Asset("USDC/6"))
        Terminal.say(
            "   \(first.judge.name) refused \(author.name)'s rows for no good reason; the appeal went to \(second.judge.name), who let them in. That vote cost \(first.judge.name) the stake of \(lost)."
        )
    }

    /// A review and the one who sits on it.
    private struct Seat {
        let review: String
        let judge: WayPerson
    }

    private func drawn(for contribution: String, round: Int64, in datanet: String, _ cast: Cast) async throws -> Seat {
        func name(in page: JSONValue) -> String? {
            page["items"]?.arrayValue?.first {
                $0["contribution"]?.stringValue == contribution && $0["round"]?.intValue == round
            }?["id"]?.stringValue
        }
        let page = try await client.wait(
            for: "the review of \(contribution)", "/v1/datanets/\(datanet)/reviews", as: cast.maya.token, until: { name(in: $0) != nil })
        guard let review = name(in: page) else { throw CommandError("no review of \(contribution)") }
        let told = try await client.wait(
            for: "the draw", "/v1/datanets/\(datanet)/reviews/\(review)", as: cast.maya.token, until: { $0["draw"] != nil })
        let seated = told["draw"]?["panel"]?.arrayValue?.first?.stringValue
        guard let judge = cast.validators.first(where: { $0.principal == seated }) else {
            throw CommandError("nobody of the story sits on \(review)")
        }
        return Seat(review: review, judge: judge)
    }

    private func vote(_ admit: Bool, _ reason: String, in seat: Seat, _ datanet: String) async throws {
        _ = try await client.call(
            "POST", "/v1/datanets/\(datanet)/reviews/\(seat.review)/votes", as: seat.judge.token,
            json: ["admit": .bool(admit), "reason": .string(reason)])
    }
}
