import Crypto
import Events
import Foundation
import JSON
import Money

/// The way of the money out: on a payment rail, and by an epoch's Merkle tree to wallets.
extension WayStory {
    /// What was paid out, as receipts name it.
    struct PaidOut: Sendable {
        /// The payout on a rail.
        let payout: String
        /// Who had it.
        let account: String
        /// Who claimed on the chain.
        let claimant: String
    }

    /// - Parameter stillOpen: what a settlement that can still be corrected keeps back from each account.
    func payOut(_ cast: Cast, stillOpen: Corrected) async throws -> PaidOut {
        Terminal.say("\n9. After the holdback of \(Self.holdback) seconds the money can leave.")
        for author in cast.authors.values { try await awaitRelease("contributor:" + author.principal, author, stillOpen) }
        let payout = try await payOnRail(cast.maya, stillOpen)
        let wallets = try await setWallets(cast)
        let closed = try await client.call("POST", "/v1/epochs", as: administrator, json: ["asset": "USDC/6"])
        guard let data = closed["events"]?.arrayValue?.last?["data"], let root = data["root"]?.stringValue else {
            throw CommandError("no epoch came back")
        }
        let claims = try await claims(wallets, under: root)
        let whole = try Self.amount(data["cumulative"])
        let total = claims.reduce(0) { $0 + $1.units }
        guard let first = claims.first else { throw CommandError("the epoch pays nobody") }
        // A house that others use too may owe to their wallets as well.
        guard total == whole.units || (isGuest && total < whole.units) else {
            throw CommandError("the claims do not add up to the epoch's total")
        }
        let sum = Amount(total, whole.asset)
        Terminal.say(
            "   A payout epoch closes: root \(root.prefix(18))…; \(claims.count) wallets can claim \(sum), each by a proof of its own.")
        for claim in claims.prefix(4) {
            Terminal.say("   \(DemoText.right(Amount(claim.units, whole.asset).description, 16))  \(claim.author.name)")
        }
        Terminal.say("   That is what the training paid for their data, and the answers since.")
        // What a distributor on a chain would do; who watches it books that it was done.
        _ = try await client.call(
            "POST", "/v1/claims", as: administrator,
            json: [
                "address": .string(first.address), "cumulative": Amount(first.units, whole.asset).json,
                "transaction": .string("demo-" + Hex.encode(Random.bytes(8))),
            ])
        return PaidOut(payout: payout, account: "model-owner:" + cast.maya.principal, claimant: first.author.principal)
    }

    // MARK: Steps

    /// Waits until all that can be released to an account is.
    private func awaitRelease(_ account: String, _ person: WayPerson, _ stillOpen: Corrected) async throws {
        let path = "/v1/accounts/\(account)"
        do { _ = try await client.call("GET", path, as: person.token) } catch let refused as WayClient.Refused
            where refused.status == 404
        { return }
        _ = try await client.wait(for: "the holdback to end", path, as: person.token) {
            (try? Self.dollars("pending", in: $0))?.units == stillOpen.units[account, default: 0]
        }
    }

    /// The model's owner takes what the model earned.
    private func payOnRail(_ maya: WayPerson, _ stillOpen: Corrected) async throws -> String {
        let account = "model-owner:" + maya.principal
        try await awaitRelease(account, maya, stillOpen)
        let earned = try Self.dollars("available", in: try await client.call("GET", "/v1/accounts/\(account)", as: maya.token))
        let requested = try await client.call(
            "POST", "/v1/accounts/\(account)/payouts", as: maya.token,
            json: [
                "amount": earned.json, "rail": "sandbox",
                "destination": .string(SHA256.hash(Random.bytes(32)).prefixed),
            ])
        guard let payout = requested["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
            throw CommandError("no payout came back")
        }
        Terminal.say("   Maya has what her model earned, \(earned), sent out on a payment rail.")
        return payout
    }

    /// A wallet and whose it is.
    private struct Wallet {
        let author: WayPerson
        let address: String
        var units: Int128 = 0
    }

    private func setWallets(_ cast: Cast) async throws -> [Wallet] {
        var wallets: [Wallet] = []
        for author in cast.authors.values.sorted(by: { $0.name < $1.name }) {
            let address = "0x" + Hex.encode(Random.bytes(20))
            let message = WalletSet.message(owner: author.principal, sequence: 0, address: address, key: author.did, recovery: nil)
            _ = try await client.call(
                "POST", "/v1/accounts/wallets", as: author.token,
                json: [
                    "owner": .string(author.principal), "address": .string(address), "sequence": 0, "key": .string(author.did),
                    "signature": .string(Base64URL.encode(try author.key.sign(message))),
                ])
            wallets.append(Wallet(author: author, address: address))
        }
        return wallets
    }

    /// What each wallet can claim, the largest first.
    private func claims(_ wallets: [Wallet], under root: String) async throws -> [Wallet] {
        var found: [Wallet] = []
        for var wallet in wallets {
            do {
                let claim = try await client.call("GET", "/v1/claims?asset=USDC/6&address=\(wallet.address)", as: nil)
                guard claim["root"]?.stringValue == root, let units = Int128(claim["cumulative"]?.stringValue ?? "") else {
                    throw CommandError("the claim of \(wallet.author.name) is not under the epoch's root")
                }
                wallet.units = units
                found.append(wallet)
            } catch let refused as WayClient.Refused where refused.status == 404 { continue }
        }
        return found.sorted { $0.units > $1.units }
    }
}
