import Crypto
import Events
import Foundation
import JSON
import Money

/// What happens to money and data afterwards: a dispute, a withdrawal, a payout.
extension WayStory {
    /// How long settlements can be disputed in the story.
    private static let holdback: Int64 = 30

    /// The rules of settlement, with times that fit a story.
    func setRules() async throws {
        _ = try await client.call(
            "POST", "/v1/settlements/rules", as: administrator,
            json: [
                "platform_points": 500, "platform": "platform:house",
                "training": ["owner": 0, "datanets": 2_000, "contributors": 5_000, "validators": 500, "compute": 2_500],
                "holdback_seconds": .int(Self.holdback), "dispute_bond": 1_000_000, "unbond_seconds": 604_800, "dust": 1_000,
            ])
    }

    // MARK: Dispute

    /// The app contests what the last answer cost, with a bond; an arbiter finds for it; the fee flows back along its split.
    func dispute(_ cast: Cast, _ answers: [Answer], _ earned: [String: Earned]) async throws {
        // Best an answer that no method could trace: the app has reason to doubt it.
        let asked = answers.filter { $0.asker == cast.app.name }
        let doubtful = asked.first { earned[$0.inference]?.attribution["fallback"]?.boolValue == true }
        guard let answer = doubtful ?? asked.last, let settlement = earned[answer.inference]?.settlement["id"]?.stringValue else {
            throw CommandError("there is no settlement to dispute")
        }
        let account = "payer:" + cast.app.principal
        let before = try await balance(of: account, cast.app)
        let words = "The answer to \"\(answer.question)\" was of no use."
        let opened = try await client.call(
            "POST", "/v1/disputes", as: cast.app.token,
            json: [
                "settlement": .string(settlement), "account": .string(account), "reason": "useless-answer",
                "evidence": .string(SHA256.hash(Array(words.utf8)).prefixed),
            ])
        guard let dispute = opened["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
            throw CommandError("no dispute came back")
        }
        let bonded = try await balance(of: account, cast.app)
        _ = try await client.call(
            "POST", "/v1/rulings", as: administrator,
            json: ["about": "dispute", "subject": .string(dispute), "upheld": true, "reason": "The answer did not meet the question."])
        let asset = answer.fee.asset
        let due = Amount(before.units + answer.fee.units, asset)
        _ = try await client.wait(for: "the fee to come back", "/v1/accounts/\(account)", as: cast.app.token) {
            (try? Self.dollars("balance", in: $0))?.units == due.units
        }
        Terminal.say(
            "\n6. The app disputes the answer to \"\(answer.question)\" with a bond of \(Amount(before.units - bonded.units, asset)); the arbiter upholds it."
        )
        Terminal.say("   The bond and the fee of \(answer.fee) are back, taken from everyone who had a part of it.")
    }

    private func balance(of account: String, _ person: WayPerson) async throws -> Amount {
        try Self.dollars("balance", in: try await client.call("GET", "/v1/accounts/\(account)", as: person.token))
    }

    /// A figure of an account in the story's asset.
    private static func dollars(_ figure: String, in account: JSONValue) throws -> Amount {
        for entry in account["assets"]?.arrayValue ?? [] {
            let amount = try amount(entry[figure])
            if amount.asset.text == "USDC/6" { return amount }
        }
        throw CommandError("an account has no \(figure) in USDC/6")
    }

    // MARK: Withdrawal

    /// An author takes a row back: the next snapshot lacks it, and the old one says so.
    func withdraw(_ cast: Cast, _ datanets: [Datanet]) async throws {
        guard let datanet = datanets.first, let contribution = datanet.contributions.first,
            let author = cast.authors[contribution.author]
        else { throw CommandError("there is nothing to withdraw") }
        let item = contribution.id + ".1"
        _ = try await client.call(
            "POST", "/v1/contributions/\(contribution.id)/withdrawal", as: author.token, json: ["items": [.string(item)]])
        _ = try await client.wait(
            for: "the withdrawal to arrive", "/v1/snapshots/\(datanet.snapshot)/withdrawn", as: cast.maya.token,
            until: { String(decoding: JSON.write($0), as: UTF8.self).contains(item) })
        let next = try await client.call("POST", "/v1/datanets/\(datanet.id)/snapshots", as: cast.maya.token, json: .object(JSONObject()))
        guard let items = next["items"]?.intValue, Int(items) == datanet.items - 1 else {
            throw CommandError("the next snapshot of \(datanet.name) still has the row that was withdrawn")
        }
        Terminal.say(
            "\n7. \(author.name) withdraws a row of \(datanet.name): snapshot 2 has \(items) items, and snapshot 1 names what it has no longer leave to use."
        )
    }

    // MARK: Payout

    /// When the holdback is over an epoch closes into a Merkle tree; each author gets a proof that a distributor on a chain can check.
    func payOut(_ cast: Cast) async throws {
        var wallets: [(author: String, address: String)] = []
        for (name, author) in cast.authors.sorted(by: { $0.key < $1.key }) {
            let address = "0x" + Hex.encode(Random.bytes(20))
            let message = WalletSet.message(owner: author.principal, sequence: 0, address: address, key: author.did, recovery: nil)
            _ = try await client.call(
                "POST", "/v1/accounts/wallets", as: author.token,
                json: [
                    "owner": .string(author.principal), "address": .string(address), "sequence": 0, "key": .string(author.did),
                    "signature": .string(Base64URL.encode(try author.key.sign(message))),
                ])
            wallets.append((name, address))
        }
        Terminal.say("\n8. After the holdback of \(Self.holdback) seconds a payout epoch closes.")
        for author in cast.authors.values {
            let path = "/v1/accounts/contributor:\(author.principal)"
            do { _ = try await client.call("GET", path, as: author.token) } catch let refused as WayClient.Refused
                where refused.status == 404
            { continue }
            _ = try await client.wait(for: "the holdback to end", path, as: author.token) {
                (try? Self.dollars("pending", in: $0))?.isZero == true
            }
        }
        let closed = try await client.call("POST", "/v1/epochs", as: administrator, json: ["asset": "USDC/6"])
        guard let data = closed["events"]?.arrayValue?.last?["data"], let root = data["root"]?.stringValue else {
            throw CommandError("no epoch came back")
        }
        var paid: [(author: String, units: Int128)] = []
        for wallet in wallets {
            do {
                let claim = try await client.call("GET", "/v1/claims?asset=USDC/6&address=\(wallet.address)", as: nil)
                guard claim["root"]?.stringValue == root, let units = Int128(claim["cumulative"]?.stringValue ?? "") else {
                    throw CommandError("the claim of \(wallet.author) is not under the epoch's root")
                }
                paid.append((wallet.author, units))
            } catch let refused as WayClient.Refused where refused.status == 404 { continue }
        }
        guard !paid.isEmpty else { throw CommandError("the epoch pays nobody") }
        let asset = try Asset("USDC/6")
        let whole = try Self.amount(data["cumulative"])
        Terminal.say("   Root \(root.prefix(18))…: \(paid.count) wallets can claim \(whole), each by a proof of its own.")
        for (author, units) in paid.sorted(by: { $0.units > $1.units }).prefix(4) {
            let amount = Amount(units, asset).description
            Terminal.say("   \(String(repeating: " ", count: max(0, 16 - amount.count)))\(amount)  \(author)")
        }
        guard paid.reduce(0, { $0 + $1.units }) == whole.units else { throw CommandError("the claims do not add up to the epoch's total") }
    }
}
