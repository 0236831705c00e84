import AgentGatewayDomain
import Blobs
import Crypto
import DatanetDomain
import Decisions
import EventLog
import Events
import Foundation
import Identity
import JSON
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

/// Answers and what they pay: settlements, disputes, refunds, epochs, wallets.
extension StoryTelling {
    func ask(_ text: String, as subject: String, _ settlements: Int) async throws {
        whole.say(text)
        try await whole.insist(
            "POST", "/v1/chat/completions", as: subject,
            [
                "model": "olga/tides", "messages": [["role": "user", "content": "harbour master ledger tide?"]], "max_tokens": 80,
            ])
        try await whole.wait(for: SettlementPosted.type, settlements)
    }

    func answers(_ people: People, _ tides: String) async throws {
        try await eventually("the texts are found") {
            try await whole.call("GET", "/v1/datanets/\(tides)/search?q=harbour", as: people.olga)["items"]?.arrayValue?.isEmpty == false
        }
        let mixed = Self.tide[0] + " And further: " + Self.bees[0]
        try await ask(mixed, as: people.pia, 2)
        try await ask("Nothing that anybody wrote before, only nonsense of seventeen kinds.", as: people.bot, 3)
        try await ask(Self.bees[1] + " " + Self.tide[2], as: people.pia, 4)
        // The first is contested, and who was paid for it is taken out; part of the second flows back.
        let settled = try await whole.events().filter { try EventHeader(trusted: $0.bytes).type == SettlementPosted.type }
            .map { try Fact($0).data["id"]?.stringValue ?? "" }
        let dispute = try await whole.call(
            "POST", "/v1/disputes", as: people.pia,
            [
                "settlement": .string(settled[1]), "account": .string("payer:" + people.pia), "reason": "copied",
                "evidence": .digest(SHA256.hash(utf8: "proof")),
            ])
        let id = dispute["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue ?? ""
        try await whole.call(
            "POST", "/v1/rulings", as: "root",
            [
                "about": "dispute", "subject": .string(id), "upheld": true,
                "penalties": [["principal": .string(people.carl), "points": 500]],
                "pool": "house", "reason": "It was copied.",
            ])
        try await whole.wait(for: DisputeResolved.type, 1)
        try await whole.wait(for: AttributionCorrected.type, 1)
        try await third(people, settled[3])
        try await unheard(people, settled[0])
        try await whole.call(
            "POST", "/v1/settlements/\(settled[2])/refunds", as: "root", ["amount": amount(5_000), "reason": "late"])
    }

    /// Somebody who did not pay says that the wrong people are paid, and is right: others get what one loses.
    func third(_ people: People, _ settlement: String) async throws {
        let corrected = try await whole.count(SettlementCorrected.type)
        let dispute = try await whole.call(
            "POST", "/v1/disputes", as: people.olga,
            [
                "settlement": .string(settlement), "account": .string("payer:" + people.olga), "reason": "copied",
                "evidence": .digest(SHA256.hash(utf8: "another proof")),
            ])
        try await whole.insist(
            "POST", "/v1/rulings", as: "root",
            [
                "about": "dispute", "subject": dispute["events"]?.arrayValue?.first?["data"]?["id"] ?? .null, "upheld": true,
                "penalties": [["principal": .string(people.carl), "points": 500]], "pool": "house", "reason": "This too.",
            ])
        try await whole.wait(for: DisputeResolved.type, 2)
        try await whole.wait(for: SettlementCorrected.type, corrected + 1)
    }

    // MARK: Payouts

    /// Ann's wallet by her linked key, another by the key that it named, and a third by the recovery key.
    func wallets(of people: People, _ last: String) async throws {
        let (second, recovery) = (try Ed25519PrivateKey.generate(), try Ed25519PrivateKey.generate())
        let safe = DIDKey.text(for: recovery.publicKey)
        let others = (0..<2).map { "0x" + String(repeating: "c\($0)", count: 20) }
        for (sequence, (signer, next, address)) in [
            (people.annKey, second, others[0]), (second, second, others[1]), (recovery, people.annKey, last),
        ].enumerated() {
            let key = DIDKey.text(for: next.publicKey)
            let message = WalletSet.message(owner: people.ann, sequence: sequence, address: address, key: key, recovery: safe)
            try await whole.call(
                "POST", "/v1/accounts/wallets", as: people.ann,
                [
                    "owner": .string(people.ann), "address": .string(address), "sequence": .count(sequence), "key": .string(key),
                    "recovery": .string(safe), "signature": .string(Base64URL.encode(try signer.sign(message))),
                ])
        }
    }

    func payouts(_ people: People) async throws {
        try await rules(holdback: 0)
        try await ask(Self.tide[1], as: people.pia, 5)
        try await whole.wait(for: SettlementReleased.type, 1)
        try await eventually("ann has been paid") {
            let shown = try await whole.call("GET", "/v1/accounts/contributor:\(people.ann)", as: "root")
            return shown["assets"]?.arrayValue?.first?["balance"]?["amount"]?.stringValue.flatMap { Int($0) } ?? 0 > 100
        }
        for (rail, paid) in [("sandbox", nil), ("bank", true), ("bank", false)] as [(String, Bool?)] {
            let made = try await whole.call(
                "POST", "/v1/accounts/contributor:\(people.ann)/payouts", as: "root",
                ["amount": amount(10), "rail": .string(rail), "destination": .digest(SHA256.hash(utf8: "iban"))])
            guard let paid else { continue }
            try await whole.call("POST", "/v1/accounts/payouts/bank-files", as: "root", .object(JSONObject()))
            let id = made["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue ?? ""
            try await whole.call(
                "POST", "/v1/accounts/payouts/\(id)/finish", as: "root", ["paid": .bool(paid), "reference": .string("bank-\(paid)")])
        }
        try await whole.wait(for: PayoutFinished.type, 3)
        let wallet = "0x" + String(repeating: "ab", count: 20)
        try await wallets(of: people, wallet)
        let budget: JSONValue = ["budget": amount(100), "thresholds": [5_000, 10_000]]
        try await whole.call("POST", "/v1/accounts/payer:\(people.pia)/budgets", as: people.pia, budget)
        try await whole.wait(for: BudgetAlerted.type, 1)
        let closed = try await whole.call("POST", "/v1/epochs", as: "root", ["asset": .string(Self.asset)])
        let owed = closed["events"]?.arrayValue?.first?["data"]?["cumulative"]?["amount"]?.stringValue ?? "1"
        try await whole.call(
            "POST", "/v1/claims", as: "root",
            ["address": .string(wallet), "cumulative": ["asset": .string(Self.asset), "amount": .string(owed)], "transaction": "0x01"])
        try await whole.call(
            "POST", "/v1/stakes/unbond", as: "root", ["pool": "house", "account": "validator:vera1", "amount": amount(10_000)])
        try await whole.call(
            "POST", "/v1/stakes/rewards", as: "root",
            ["pool": "house", "account": .string("payer:" + people.pia), "amount": amount(7_000)])
        let slashed = try await whole.count(StakeSlashed.type)
        try await whole.insist(
            "POST", "/v1/rulings", as: "root",
            [
                "about": "task", "subject": "tk_none", "upheld": true, "penalties": [["principal": "vera2", "points": 100]],
                "pool": "house",
                "reason": "They promised a deed and did nothing.",
            ])
        try await whole.wait(for: StakeSlashed.type, slashed + 1)
        try await whole.wait(for: StakeWithdrawn.type, 1)
        try await whole.wait(for: HoldReleased.type, 2)
    }

    func endings(_ people: People, _ tides: String, _ breads: String) async throws {
        let mine = try await whole.events().compactMap { logged -> String? in
            let fact = try Fact(logged)
            guard fact.type == ContributionSubmitted.type, fact.data["contributor"]?.stringValue == people.ann,
                fact.data["datanet"]?.stringValue == tides
            else { return nil }
            return fact.data["contribution"]?.stringValue
        }
        let contribution = try #require(mine.first)
        try await whole.call(
            "POST", "/v1/contributions/\(contribution)/withdrawal", as: people.ann, ["items": [.string(contribution + ".2")]])
        try await whole.call("POST", "/v1/contributors/\(people.carl)/erasure", as: people.carl)
        try await whole.insist("POST", "/v1/datanets/\(tides)/snapshots", as: people.olga, .object(JSONObject()))
        try await repeated(people)
        try await whole.call(
            "POST", "/v1/datanets/\(tides)/grants", as: people.olga, ["grantee": .string(people.ann), "purpose": "retrieve"])
        try await whole.insist("POST", "/v1/adapters/olga/tides/hand-over", as: people.olga, ["to": .string(people.ann)])
        try await whole.call("POST", "/v1/adapters/olga/tides/retire", as: people.ann, ["version": 2])
        try await whole.call("DELETE", "/v1/principals/\(people.pia)/texts", as: people.pia)
        try await whole.wait(for: IndexBuilt.type, 3)
        try await authorship(people, tides)
    }

    /// The first training once more, without what Ann took back; its owner changes her mind about it.
    func repeated(_ people: People) async throws {
        let completed = try await whole.events().first { try EventHeader(trusted: $0.bytes).type == JobCompleted.type }
        let job = try Fact(try #require(completed)).data["job"]?.stringValue ?? ""
        let order = try await whole.insist("POST", "/v1/training-jobs/\(job)/retrain", as: people.olga, .object(JSONObject()))
        let again = order["job"]?.stringValue ?? ""
        for verb in ["pause", "resume", "cancel"] {
            try await whole.call("POST", "/v1/training-jobs/\(again)/\(verb)", as: people.olga)
        }
    }

    /// Work that Ann brings in of an author, who claims the account, takes an item back, then everything, and has all of it erased.
    func authorship(_ people: People, _ datanet: String) async throws {
        let id = try await contribute(Self.lamps, to: datanet, by: people.ann, people.annKey, author: "Ida Marsh")
        _ = try await contribute(Self.logbooks, to: datanet, by: people.ann, people.annKey, author: "Ida Marsh")
        let claim = try await whole.call("POST", "/v1/contributors/claims", as: people.pia, ["name": "Ida Marsh"])
        let (name, author) = (claim["claim"]?.stringValue ?? "", claim["author"]?.stringValue ?? "")
        try await whole.call("POST", "/v1/contributors/claims/\(name)/confirmation", as: people.olga, ["proof": "domain"])
        try await whole.call("POST", "/v1/contributions/\(id)/withdrawal", as: people.pia, ["items": [.string(id + ".1")]])
        try await whole.call("POST", "/v1/contributors/\(author)/withdrawal", as: people.pia, .object(JSONObject()))
        try await whole.call("POST", "/v1/contributors/\(author)/erasure", as: people.pia)
    }

    static let logbooks = [
        "The pilot of the northern channel enters the depth at each buoy in his logbook when the ice has gone and the marks are set again.",
        "Whoever takes the wheel over at midnight signs below the last line, so that every course can be told by a name afterwards.",
    ]

    static let lamps = [
        "The oil of the lamp on the eastern mole is measured every evening, and what is left in the morning is written down again.",
        "When fog comes up the keeper rings the bell once a minute, and counts the strokes on a string of wooden beads by the door.",
    ]
}
