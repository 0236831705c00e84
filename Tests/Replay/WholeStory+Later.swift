import Crypto
import Decisions
import EventLog
import Identity
import AgentGatewayDomain
import Events
import JSON
import ServiceTestSupport
import Testing
import TestSupport

/// What comes of itself once a time is over.
extension StoryTelling {
    /// Who ordered the training says that it is a copy, and nobody ever rules on that.
    func unheard(_ people: People, _ settlement: String) async throws {
        try await whole.call(
            "POST", "/v1/disputes", as: people.olga,
            [
                "settlement": .string(settlement), "account": .string("payer:" + people.olga), "reason": "copied",
                "evidence": .digest(SHA256.hash(utf8: "a third proof")),
            ])
    }

    /// Who was granted a reading at a price pays it once, although they read twice; who has less money than that reads nothing.
    private func sold(_ people: People, _ datanet: String) async throws {
        let (settled, read) = (try await whole.count(SettlementPosted.type), try await whole.count(AccessUsed.type))
        let items = "/v1/datanets/\(datanet)/snapshots/2/items?purpose=read"
        for (buyer, price) in [(people.pia, 30_000), (people.ann, 30_000_000)] {
            try await whole.call(
                "POST", "/v1/datanets/\(datanet)/grants", as: people.olga,
                ["grantee": .string(buyer), "purpose": "read", "price": amount(price)])
        }
        let refused = await #expect(throws: WholeHouse.Refused.self) { try await whole.call("GET", items, as: people.ann) }
        #expect(refused?.description.contains("402") == true && refused?.description.contains("deposit first") == true)
        for _ in 1...2 { try await whole.call("GET", items, as: people.pia) }
        #expect(try await whole.count(AccessUsed.type) == read + 2)
        try await whole.wait(for: SettlementPosted.type, settled + 1)
    }

    /// An agent lost its key, and its owner gives it another.
    private func recover(_ agent: String, by owner: String) async throws {
        let key = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: key.publicKey)
        let signature = Base64URL.encode(try key.sign(ProofMessages.recovery(principal: agent, key: did)))
        try await whole.call(
            "POST", "/v1/principals/\(agent)/recovery", as: owner, ["key": .string(did), "signature": .string(signature)])
    }

    /// Three months pass: fees that were taken and never shared out go back, and so does the bond of the dispute that nobody ruled on. A
    /// ruling finds nothing to take and is closed.
    func later(_ people: People, _ datanet: String) async throws {
        try await whole.insist(
            "POST", "/v1/rulings", as: "root",
            [
                "about": "dispute", "subject": "ds_none", "upheld": true,
                "penalties": [["principal": .string(people.pia), "points": 10_000]], "pool": "house", "reason": "There is nothing to take.",
            ])
        try await whole.wait(for: ReactionClosed.type, 1)
        try await sold(people, datanet)
        // She takes back all that she brought, everywhere.
        try await whole.call("POST", "/v1/contributors/\(people.ann)/withdrawal", as: people.ann, .object(JSONObject()))
        try await recover(people.bot, by: people.pia)
        whole.house.clock.advance(days: 92)
        // Log time is that of the newest event: somebody has to write one.
        try await whole.call("PUT", "/v1/principals/\(people.olga)/retention", as: people.olga, ["retention_days": 7])
        try await whole.wait(for: HoldReturned.type, 2)
        try await whole.wait(for: DisputeLapsed.type, 1)
        // Only then is what was contested released, which had long been due: by a sweep of its own, for it was contested when the first began.
        try await eventually("what was contested is released") {
            let facts = try await whole.events().map { try Fact(LoggedEvent(position: 0, version: 0, bytes: $0.bytes)) }
            guard let lapsed = facts.first(where: { $0.type == DisputeLapsed.type }) else { return false }
            return facts.contains {
                $0.type == SettlementReleased.type
                    && $0.data["settlements"]?.arrayValue?.contains(lapsed.data["settlement"] ?? .null) == true
            }
        }
    }
}
