import AgentEconomyDomain
import Crypto
import EVM
import Events
import JSON
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

/// What agents do among themselves: mandates and approvals, services, tasks that end in each way, a linked address.
extension StoryTelling {
    func agents(_ people: People, _ datanet: String) async throws {
        let mandate = try await granted(people)
        for (number, name) in ["Tide tables", "Old tide tables"].enumerated() {
            let listed = try await whole.call(
                "POST", "/v1/services", as: people.ann,
                ["page": ["name": .string(name), "description": "A month of tides"], "price": amount(150), "seconds": 600])
            guard number == 1, let service = listed["service"]?.stringValue else { continue }
            try await whole.call("DELETE", "/v1/services/\(service)", as: people.ann)
        }
        // A third of it is for the data that it stands on.
        let done = try await funded(
            people.bot, people.ann, 3_600, units: 300_000, split: [["kind": "datanet", "id": .string(datanet), "points": 3_333]])
        let work: JSONValue = [
            "artefacts": [["hash": .digest(SHA256.hash(utf8: "the tables")), "bytes": 10, "media": "text/plain"]]
        ]
        let settled = try await whole.count(SettlementPosted.type)
        // A part of it is another's work: it is due when the whole is accepted.
        let part = try await funded(people.ann, people.carl, 1_800, units: 100, of: done)
        try await whole.call("POST", "/v1/tasks/\(part)/submission", as: people.carl, work)
        try await whole.call("POST", "/v1/tasks/\(part)/completion", as: people.ann, .object(JSONObject()))
        try await whole.call("POST", "/v1/tasks/\(done)/submission", as: people.ann, work)
        try await whole.call("POST", "/v1/tasks/\(done)/completion", as: people.bot, .object(JSONObject()))
        try await whole.wait(for: SettlementPosted.type, settled + 2)
        let refused = try await funded(people.bot, people.ann, 3_600)
        try await whole.call("POST", "/v1/tasks/\(refused)/rejection", as: people.ann)
        // Within the mandate, and more than its owner has: what was set aside of the mandate is free again.
        await #expect(throws: WholeHouse.Refused.self) { try await funded(people.bot, people.ann, 3_600, units: 800_000_000) }
        try await whole.wait(for: MandateFreed.type, 1)
        try await approvals(people)
        try await whole.call("POST", "/v1/mandates/\(mandate)/revocation", as: people.pia)
        try await linked(people)
        try await late(people)
    }

    func granted(_ people: People, _ more: [(String, JSONValue)] = []) async throws -> String {
        let terms: [(String, JSONValue)] = [
            ("budget", amount(900_000_000)), ("period", "once"), ("expires", "2099-01-01T00:00:00.000000Z"),
        ]
        let granted = try await whole.call(
            "POST", "/v1/mandates", as: people.pia, ["agent": .string(people.bot), "terms": .object(JSONObject(terms + more))])
        return try #require(granted["mandate"]?.stringValue)
    }

    /// A task whose pay is in escrow.
    private func funded(
        _ client: String, _ provider: String, _ seconds: Int64, units: Int = 300, of parent: String? = nil, split: [JSONValue] = []
    ) async throws -> String {
        let now = try whole.house.context(.agentGateway).clock()
        let deadline = Timestamp(microseconds: now.microseconds + seconds * 1_000_000)
        let opened = try await whole.call(
            "POST", "/v1/tasks", as: client,
            .members([
                "provider": .string(provider), "brief": "The tides of June", "amount": amount(units),
                "deadline": .string(deadline.description), "parent": parent.map { .string($0) },
                "split": split.isEmpty ? nil : .array(split),
            ]))
        let task = try #require(opened["task"]?.stringValue)
        try await whole.call("POST", "/v1/tasks/\(task)/funding", as: client, ["amount": amount(units)])
        return task
    }

    /// More than the agent may spend alone: a human says yes.
    private func approvals(_ people: People) async throws {
        let careful = try await granted(people, [("approval_above", amount(5))])
        let asked = try await whole.call(
            "POST", "/v1/mandates/\(careful)/approvals", as: people.bot,
            ["amount": amount(10), "purpose": "payment", "payee": .string(people.ann)])
        let approval = try #require(asked["approval"]?.stringValue)
        try await whole.call("POST", "/v1/mandates/\(careful)/approvals/\(approval)", as: people.pia, ["granted": true])
    }

    private func linked(_ people: People) async throws {
        let key = try Secp256k1PrivateKey.generate()
        try await link(key, to: people.ann)
        try await whole.call("DELETE", "/v1/wallets/\(EVMAddress(key.publicKey))", as: people.ann)
    }

    /// A task that nobody delivers. Log time reaches its deadline by what others write meanwhile.
    private func late(_ people: People) async throws {
        _ = try await funded(people.olga, people.ann, 2)
        var days = 31
        try await eventually("the task is over") {
            days = 61 - days
            try await whole.call("PUT", "/v1/principals/\(people.olga)/retention", as: people.olga, ["retention_days": .int(Int64(days))])
            return try await whole.count(TaskExpired.type) > 0
        }
    }
}
