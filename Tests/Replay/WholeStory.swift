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

/// A log on which nearly everything happened that can, made by the real services, with the evidence that it names.
struct WholeStory: Sendable {
    let events: [[UInt8]]
    let evidence: [Digest: [UInt8]]
    /// All that the services put into the evidence store, named by an event or not.
    let stored: Set<Digest>

    private static let teller = Teller()

    /// The story, told once for all tests of a run.
    static func told() async throws -> WholeStory { try await teller.story() }

    private actor Teller {
        private var task: Task<WholeStory, any Error>?

        func story() async throws -> WholeStory {
            if let task { return try await task.value }
            let task = Task { try await withWholeHouse { try await StoryTelling(whole: $0).tell() } }
            self.task = task
            return try await task.value
        }
    }
}

struct StoryTelling {
    let whole: WholeHouse
    static let asset = "USDC/6"
    static let tide = [
        "The harbour master writes the height of every tide into a green ledger before the first ferry leaves the quay at dawn.",
        "When the spring tide passes five metres the lower gate is closed by hand and two lanterns are hung above the stone steps.",
        "Old fishermen say that a ring around the moon announces rain, and the harbour records of forty years agree in two cases of three.",
    ]
    static let bread = [
        "A sour dough is fed every evening with equal weights of rye flour and lukewarm water and kept beside the stove overnight.",
        "The baker turns each loaf twice, sprays the oven wall with water, and knocks on the crust to hear whether it is done.",
        "Bread that was baked from freshly milled grain keeps for eight days when it lies wrapped in linen on a wooden board.",
    ]
    static let bees = [
        "In late April the bee keeper lifts every frame against the light and counts the cells in which the queen has laid her eggs.",
        "A swarm that hangs in an apple tree can be taken with a wet sheet and an empty box before the sun has reached the branch.",
    ]

    func amount(_ units: Int) -> JSONValue { ["asset": .string(Self.asset), "amount": .string(String(units))] }

    func tell() async throws -> WholeStory {
        let people = try await people()
        try await money(people)
        let (tides, breads) = try await datanets(people)
        try await govern(tides)
        try await train(people, tides)
        try await answers(people, tides)
        try await payouts(people)
        try await brokenOff(people)
        try await payments(people)
        try await endings(people, tides, breads)
        try await lie(people, tides)
        try await agents(people, tides)
        try await later(people, tides)
        return try await collected()
    }

    // MARK: People

    struct People {
        let olga, ann, carl, pia, bot: String
        let annKey: Ed25519PrivateKey
        let carlKey: Ed25519PrivateKey
    }

    func register(_ kind: String, owner: (id: String, key: Ed25519PrivateKey)? = nil) async throws -> (
        id: String, key: Ed25519PrivateKey
    ) {
        let key = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: key.publicKey)
        let message = ProofMessages.registration(kind: kind, key: did, owner: owner?.id)
        let answer = try await whole.call(
            "POST", "/v1/principals", as: nil,
            .members([
                "kind": .string(kind), "key": .string(did), "signature": .string(Base64URL.encode(try key.sign(message))),
                "owner": owner.map { .string($0.id) }, "owner_key": owner.map { .string(DIDKey.text(for: $0.key.publicKey)) },
                "owner_signature": try owner.map { .string(Base64URL.encode(try $0.key.sign(message))) },
            ]))
        return (try #require(answer["principal"]?.stringValue), key)
    }

    func people() async throws -> People {
        let olga = try await register("person"), ann = try await register("person"), carl = try await register("person")
        let pia = try await register("organisation"), bot = try await register("agent", owner: pia)
        for person in [olga.id, ann.id, carl.id] {
            try await whole.call("POST", "/v1/principals/\(person)/claims", as: "root", ["claim": "vouched"])
        }
        try await whole.call(
            "POST", "/v1/accounts/verified-owners", as: "root", ["owner": .string(bot.id), "claim": "domain"])
        let second = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: second.publicKey)
        let linking = try second.sign(ProofMessages.linking(principal: carl.id, key: did))
        try await whole.call(
            "POST", "/v1/principals/\(carl.id)/keys", as: carl.id, ["add": .string(did), "signature": .string(Base64URL.encode(linking))])
        try await whole.call("PUT", "/v1/principals/\(pia.id)/retention", as: pia.id, ["retention_days": 30])
        for asked: JSONValue in [
            ["scopes": ["inferences:write"]], ["scopes": ["inferences:write"], "limits": ["minute": ["requests": 100]]],
        ] {
            try await whole.call("POST", "/v1/keys", as: pia.id, asked)
        }
        let keys = try await whole.call("GET", "/v1/keys", as: pia.id)
        let key = keys["items"]?.arrayValue?.first?["key"]?.stringValue ?? ""
        try await whole.call("DELETE", "/v1/keys/\(key)", as: pia.id)
        return People(olga: olga.id, ann: ann.id, carl: carl.id, pia: pia.id, bot: bot.id, annKey: ann.key, carlKey: carl.key)
    }

    // MARK: Money

    func open(_ account: String, _ units: Int, as subject: String = "root") async throws {
        try await whole.call("POST", "/v1/accounts", as: subject, ["account": .string(account), "asset": .string(Self.asset)])
        try await whole.call(
            "POST", "/v1/accounts/\(account)/deposits", as: "root",
            ["amount": amount(units), "rail": "bank", "reference": .string(whole.next("wire"))])
    }

    func rules(holdback: Int) async throws {
        try await whole.call(
            "POST", "/v1/settlements/rules", as: "root",
            [
                "platform_points": 500, "platform": "platform:house",
                "training": ["owner": 0, "datanets": 2_000, "contributors": 5_000, "validators": 500, "compute": 2_500],
                "holdback_seconds": .int(Int64(holdback)), "dispute_bond": 1_000, "unbond_seconds": 1, "dust": 10,
            ])
    }

    func money(_ people: People) async throws {
        try await rules(holdback: 86_400)
        for payer in [people.pia, people.olga] { try await open("payer:" + payer, 100_000_000) }
        for number in 1...6 {
            try await open("validator:vera\(number)", 1_000_000)
            try await whole.call(
                "POST", "/v1/stakes", as: "root",
                ["pool": "house", "account": .string("validator:vera\(number)"), "amount": amount(100_000)])
        }
        let moved = try await whole.call(
            "POST", "/v1/accounts/transfers", as: "root",
            [
                "postings": [
                    ["account": .string("payer:" + people.pia), "amount": amount(-5_000)],
                    ["account": .string("payer:" + people.olga), "amount": amount(5_000)],
                ], "reason": "gift",
            ])
        let transfer = moved["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue ?? ""
        try await whole.call("POST", "/v1/accounts/transfers/\(transfer)/reversal", as: "root", ["reason": "mistake"])
        try await whole.call(
            "POST", "/v1/settlements/prices", as: "root",
            [
                "model": "meter/one", "asset": .string(Self.asset),
                "meters": [["meter": "requests", "per": 1, "tiers": [["up_to": 2, "units": 100], ["units": 50]]]],
            ])
        let payer = JSONValue.string("payer:" + people.pia)
        func hold(_ seconds: Int, model: Bool) async throws -> String {
            let placed = try await whole.call(
                "POST", "/v1/holds", as: "root",
                .members([
                    "account": payer, "amount": amount(10_000), "seconds": .int(Int64(seconds)), "model": model ? "meter/one" : nil,
                ]))
            return placed["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue ?? ""
        }
        let metered = try await hold(600, model: true)
        try await whole.call(
            "POST", "/v1/holds/\(metered)/capture", as: "root",
            ["reference": "usage-1", "usage": [["meter": "requests", "quantity": 3]]])
        let part = try await hold(600, model: false)
        try await whole.call(
            "POST", "/v1/holds/\(part)/capture", as: "root", ["reference": "part-1", "amount": amount(4_000), "final": false])
        try await whole.call("POST", "/v1/holds/\(part)/release", as: "root", .object(JSONObject()))
        _ = try await hold(1, model: false)
    }

    // MARK: Training

    func upload(_ text: String, as subject: String = "runner1") async throws -> Digest {
        let file = Array(text.utf8)
        let manifest = try JSON.canonical([
            "files": [["bytes": .int(Int64(file.count)), "path": "file", "sha256": .digest(SHA256.hash(file))]]
        ])
        for bytes in [file, manifest] {
            try await whole.call("PUT", "/v1/adapters/artefacts/\(SHA256.hash(bytes).prefixed)", as: subject, bytes: bytes)
        }
        return SHA256.hash(manifest)
    }

    func train(_ people: People, _ tides: String) async throws {
        try await whole.call(
            "POST", "/v1/base-models", as: people.olga,
            ["model": "tiny", "artefact": .digest(SHA256.hash(utf8: "tiny")), "licence": "Apache-2.0", "parameters": 10])
        let order: JSONValue = ["base": "tiny", "snapshots": [["datanet": .string(tides), "number": 1]], "settings": ["epochs": 2]]
        func job() async throws -> String {
            try #require(try await whole.insist("POST", "/v1/training-jobs", as: people.olga, order)["job"]?.stringValue)
        }
        let cancelled = try await job()
        try await whole.call("POST", "/v1/training-jobs/\(cancelled)/cancel", as: people.olga)
        let failed = try await job()
        try await whole.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject()))
        try await whole.call("POST", "/v1/runners/jobs/\(failed)/fail", as: "runner1", ["attempt": 1, "reason": "no-memory"])
        let good = try await job()
        try await whole.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject()))
        let checkpoint = try await upload("checkpoint"), adapter = try await upload("adapter")
        try await whole.call(
            "POST", "/v1/runners/jobs/\(good)/checkpoint", as: "runner1",
            ["attempt": 1, "step": 2, "checkpoint": .digest(checkpoint), "metrics": ["loss_micros": 5]])
        try await whole.call(
            "POST", "/v1/runners/jobs/\(good)/complete", as: "runner1",
            ["attempt": 1, "adapter": .digest(adapter), "tokens": 200, "record": ["steps": 4]])
        try await whole.insist(
            "POST", "/v1/adapters", as: people.olga,
            [
                "model": "olga/tides", "base": "tiny", "job": .string(good), "retrieval": [.string(tides)],
                "price": ["request": amount(20_000), "input": amount(0), "output": amount(100_000_000)],
                "split": ["owner": 2_000, "datanets": 1_000, "contributors": 6_000, "validators": 0, "compute": 1_000],
                "attribution": [
                    "rules": "attribution/4", "spans": 5_000, "influence": 0, "retrieval": 5_000, "threshold": 50_000_000,
                    "cap": 700_000_000, "fallback": "tokens", "minimum_span": 8,
                ],
            ])
        try await whole.wait(for: IndexBuilt.type, 2)
        try await whole.wait(for: SettlementPosted.type, 1)
    }

    // MARK: What is left

    /// The names of all files in the evidence store.
    private func stored() throws -> Set<Digest> {
        let folder = try whole.house.context(.billing).shared + "/evidence"
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return Set(names.compactMap { Digest(prefixed: "sha256:" + ($0.split(separator: "/").last ?? "")) })
    }

    func collected() async throws -> WholeStory {
        let store = try whole.house.context(.billing).openEvidence()
        let events = try await whole.events().map(\.bytes)
        var evidence: [Digest: [UInt8]] = [:]
        for (position, bytes) in events.enumerated() {
            let fact = try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes))
            for mention in EvidenceMentions.of(type: fact.type, data: fact.data) {
                evidence[mention.digest] = try await store.bytes(mention.digest)
            }
        }
        return WholeStory(events: events, evidence: evidence, stored: try stored())
    }
}
