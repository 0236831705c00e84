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
        try await endings(people, tides, breads)
        try await lie(people, tides)
        return try await collected()
    }

    // MARK: People

    struct People {
        let olga, ann, carl, pia, bot: String
        let annKey: Ed25519PrivateKey
    }

    private func register(_ kind: String, owner: (id: String, key: Ed25519PrivateKey)? = nil) async throws -> (
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

    private func people() async throws -> People {
        let olga = try await register("person"), ann = try await register("person"), carl = try await register("person")
        let pia = try await register("organisation"), bot = try await register("agent", owner: pia)
        for person in [olga.id, ann.id, carl.id] {
            try await whole.call("POST", "/v1/principals/\(person)/claims", as: "root", ["claim": "vouched"])
        }
        let second = try Ed25519PrivateKey.generate()
        let did = DIDKey.text(for: second.publicKey)
        let linking = try second.sign(ProofMessages.linking(principal: carl.id, key: did))
        try await whole.call(
            "POST", "/v1/principals/\(carl.id)/keys", as: carl.id, ["add": .string(did), "signature": .string(Base64URL.encode(linking))])
        for _ in 0..<2 { try await whole.call("POST", "/v1/keys", as: pia.id, ["scopes": ["inferences:write"]]) }
        let keys = try await whole.call("GET", "/v1/keys", as: pia.id)
        let key = keys["items"]?.arrayValue?.first?["key"]?.stringValue ?? ""
        try await whole.call("DELETE", "/v1/keys/\(key)", as: pia.id)
        return People(olga: olga.id, ann: ann.id, carl: carl.id, pia: pia.id, bot: bot.id, annKey: ann.key)
    }

    // MARK: Money

    func open(_ account: String, _ units: Int, as subject: String = "root") async throws {
        try await whole.call("POST", "/v1/accounts", as: subject, ["account": .string(account), "asset": .string(Self.asset)])
        try await whole.call(
            "POST", "/v1/accounts/\(account)/deposits", as: "root",
            ["amount": amount(units), "rail": "bank", "reference": .string(whole.next("wire"))])
    }

    private func rules(holdback: Int) async throws {
        try await whole.call(
            "POST", "/v1/settlements/rules", as: "root",
            [
                "platform_points": 500, "platform": "platform:house",
                "training": ["owner": 0, "datanets": 2_000, "contributors": 5_000, "validators": 500, "compute": 2_500],
                "holdback_seconds": .int(Int64(holdback)), "dispute_bond": 1_000, "unbond_seconds": 1, "dust": 10,
            ])
    }

    private func money(_ people: People) async throws {
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

    // MARK: Datanets

    private func policy(_ admission: String, treasury: Int = 1_000) -> JSONValue {
        [
            "access": "open", "licences": ["CC-BY-4.0", "CC0-1.0"], "treasury_points": .int(Int64(treasury)), "curator_points": 500,
            "contributor_points": .int(Int64(9_500 - treasury)), "admission": .string(admission), "minimum_quality": 50,
            "panel": admission == "review" ? 3 : 0, "quorum": admission == "review" ? 2 : 0, "voting": "role",
            "governance": [
                "voting_seconds": 600, "timelock_seconds": 0, "quorum_points": 5_000, "review_seconds": 600, "appeal_seconds": 600,
                "penalty_points": 1_000,
            ],
        ]
    }

    private func contribute(
        _ texts: [String], to datanet: String, by person: String, _ key: Ed25519PrivateKey, author: String? = nil
    ) async throws -> String {
        var file: [UInt8] = []
        for text in texts { file += JSON.write(.members(["text": .string(text), "author": author.map { .string($0) }])) + [0x0A] }
        let manifest: JSONValue = [
            "type": "openledger/manifest/v1", "datanet": .string(datanet), "contributor": .string(person),
            "kind": author == nil ? "own" : "on-behalf",
            "signer": .string(DIDKey.text(for: key.publicKey)), "licence": "CC-BY-4.0",
            "files": [
                ["name": "rows.jsonl", "format": "jsonl", "bytes": .int(Int64(file.count)), "sha256": .string(SHA256.hash(file).hex)]
            ],
        ]
        let begun = try await whole.call(
            "POST", "/v1/contributions", as: person,
            ["manifest": manifest, "signature": .string(Base64URL.encode(try key.sign(JSON.canonical(manifest))))])
        let id = try #require(begun["contribution"]?.stringValue)
        try await whole.call(
            "PATCH", "/v1/contributions/\(id)/files/0", as: person, bytes: file, headers: [("Upload-Offset", "0")])
        try await whole.call("POST", "/v1/contributions/\(id)/finish", as: person)
        try await eventually("\(id) is screened") {
            let shown = try await whole.call("GET", "/v1/contributions/\(id)", as: person)
            if shown["state"]?.stringValue == "failed" { throw WholeHouse.Refused(description: "\(shown)") }
            return shown["rules"] != nil
        }
        return id
    }

    private func datanets(_ people: People) async throws -> (tides: String, breads: String) {
        let tides = try await create("tides", "automatic", people.olga), breads = try await create("breads", "review", people.olga)
        try await whole.call(
            "POST", "/v1/datanets/\(tides)/page", as: people.olga, ["name": "Tides", "summary": "What harbours write down."])
        for number in 1...6 { try await member(breads, "vera\(number)", "validator", people.olga) }
        for datanet in [tides, breads] { try await member(datanet, "cora", "curator", people.olga) }
        try await member(breads, "gus", "consumer", people.olga)
        try await whole.call(
            "POST", "/v1/datanets/\(breads)/members/revocations", as: people.olga, ["principal": "gus", "role": "consumer"])
        let carlKey = try Ed25519PrivateKey.generate()
        // One row twice: the second is refused.
        _ = try await contribute(Self.tide + [Self.tide[0]], to: tides, by: people.ann, people.annKey)
        _ = try await contribute(Self.bees, to: tides, by: people.carl, carlKey)
        try await whole.wait(for: AdmissionGranted.type, 2)
        // A trap, a refusal that an appeal turns round.
        let salt = "grain-of-salt-0123456789"
        let bread = try await contribute(Self.bread, to: breads, by: people.carl, carlKey)
        try await vote(breads, bread, round: 1, admit: false)
        try await whole.insist(
            "POST", "/v1/datanets/\(breads)/contributions/\(bread)/appeals", as: people.carl, ["reason": "It is good bread."])
        try await vote(breads, bread, round: 2, admit: true)
        try await whole.wait(for: RulingMade.type, 1)
        let other = try await trapped(breads, people, salt)
        _ = other
        for datanet in [tides, breads] {
            try await whole.insist("POST", "/v1/datanets/\(datanet)/snapshots", as: people.olga, .object(JSONObject()))
        }
        try await whole.call("POST", "/v1/datanets/\(breads)/access-requests", as: people.pia, ["purpose": "read", "reason": "To look."])
        for purpose in ["read", "train"] {
            let grant = try await whole.call(
                "POST", "/v1/datanets/\(breads)/grants", as: people.olga, ["grantee": .string(people.pia), "purpose": .string(purpose)])
            guard purpose == "train" else { continue }
            try await whole.call(
                "POST", "/v1/datanets/\(breads)/grants/\(grant["grant"]?.stringValue ?? "")/revocation", as: people.olga,
                .object(JSONObject()))
        }
        try await whole.call("GET", "/v1/datanets/\(breads)/snapshots/1/items?purpose=read", as: people.pia)
        return (tides, breads)
    }

    private func create(_ domain: String, _ admission: String, _ owner: String) async throws -> String {
        let made = try await whole.call(
            "POST", "/v1/datanets", as: owner, ["domain": .string(domain), "media": "text", "policy": policy(admission)])
        return try #require(made["datanet"]?.stringValue)
    }

    private func member(_ datanet: String, _ principal: String, _ role: String, _ owner: String) async throws {
        try await whole.call(
            "POST", "/v1/datanets/\(datanet)/members", as: owner, ["principal": .string(principal), "role": .string(role)])
    }

    /// A contribution that its panel admits and a trap turns out.
    private func trapped(_ datanet: String, _ people: People, _ salt: String) async throws -> String {
        let key = try Ed25519PrivateKey.generate()
        let texts = [
            "The miller grinds the oats twice between stones that his grandfather cut, and sifts the meal through a cloth of horse hair."
        ]
        // Who sets a trap knows what will come: here the contribution's id, which the manifest's command makes.
        var file: [UInt8] = []
        for text in texts { file += JSON.write(["text": .string(text)]) + [0x0A] }
        let manifest: JSONValue = [
            "type": "openledger/manifest/v1", "datanet": .string(datanet), "contributor": .string(people.ann), "kind": "own",
            "signer": .string(DIDKey.text(for: key.publicKey)), "licence": "CC-BY-4.0",
            "files": [["name": "t.jsonl", "format": "jsonl", "bytes": .int(Int64(file.count)), "sha256": .string(SHA256.hash(file).hex)]],
        ]
        let begun = try await whole.call(
            "POST", "/v1/contributions", as: people.ann,
            ["manifest": manifest, "signature": .string(Base64URL.encode(try key.sign(JSON.canonical(manifest))))])
        let id = try #require(begun["contribution"]?.stringValue)
        let trap = try await whole.call(
            "POST", "/v1/datanets/\(datanet)/traps", as: people.olga,
            ["commitment": .digest(TrapCommitment.make(contribution: id, admit: false, salt: salt))])
        try await whole.call("PATCH", "/v1/contributions/\(id)/files/0", as: people.ann, bytes: file, headers: [("Upload-Offset", "0")])
        try await whole.call("POST", "/v1/contributions/\(id)/finish", as: people.ann)
        try await vote(datanet, id, round: 1, admit: true)
        try await whole.insist(
            "POST", "/v1/datanets/\(datanet)/traps/\(trap["trap"]?.stringValue ?? "")/revelation", as: people.olga,
            ["contribution": .string(id), "admit": false, "salt": .string(salt)])
        return id
    }

    private func vote(_ datanet: String, _ contribution: String, round: Int, admit: Bool) async throws {
        func drawn() async throws -> (review: String, panel: [String])? {
            for logged in try await whole.events() {
                let fact = try Fact(logged)
                guard fact.type == ReviewOpened.type, let opened = try? ReviewOpened(fact.data.object()),
                    opened.contribution == contribution, opened.round == round
                else { continue }
                for logged in try await whole.events() {
                    let fact = try Fact(logged)
                    guard fact.type == ReviewDrawn.type, let drawn = try? ReviewDrawn(fact.data.object()), drawn.review == opened.review
                    else { continue }
                    return (opened.review, drawn.panel)
                }
            }
            return nil
        }
        try await eventually("the panel of \(contribution) is drawn") { try await drawn() != nil }
        let (review, panel) = try #require(try await drawn())
        for voter in panel.prefix(2) {
            try await whole.insist(
                "POST", "/v1/datanets/\(datanet)/reviews/\(review)/votes", as: voter,
                ["admit": .bool(admit), "reason": .string(admit ? "Sound." : "Stale.")])
        }
        try await eventually("the review \(review) is closed") {
            try await whole.events().contains { logged in
                let fact = try Fact(logged)
                return fact.type == ReviewClosed.type && fact.data["review"]?.stringValue == review
            }
        }
    }

    private func govern(_ datanet: String) async throws {
        let owner =
            try await whole.events().compactMap { logged -> String? in
                let fact = try Fact(logged)
                return fact.type == DatanetCreated.type && fact.data["datanet"]?.stringValue == datanet
                    ? fact.data["owner"]?.stringValue : nil
            }.first ?? ""
        let opened = try await whole.call(
            "POST", "/v1/datanets/\(datanet)/proposals", as: owner, ["policy": policy("automatic", treasury: 1_500)])
        let proposal = opened["proposal"]?.stringValue ?? ""
        for voter in [owner, "cora"] {
            try await whole.insist("POST", "/v1/proposals/\(proposal)/votes", as: voter, ["in_favour": true])
        }
        try await whole.wait(for: DatanetPolicyChanged.type, 1)
    }

    // MARK: Training

    func upload(_ text: String) async throws -> Digest {
        let file = Array(text.utf8)
        let manifest = try JSON.canonical([
            "files": [["bytes": .int(Int64(file.count)), "path": "file", "sha256": .digest(SHA256.hash(file))]]
        ])
        for bytes in [file, manifest] {
            try await whole.call("PUT", "/v1/adapters/artefacts/\(SHA256.hash(bytes).prefixed)", as: "runner1", bytes: bytes)
        }
        return SHA256.hash(manifest)
    }

    private func train(_ people: People, _ tides: String) async throws {
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
                    "rules": "attribution/1", "spans": 5_000, "influence": 0, "retrieval": 5_000, "threshold": 50_000_000,
                    "cap": 700_000_000, "fallback": "tokens", "minimum_span": 8,
                ],
            ])
        try await whole.wait(for: IndexBuilt.type, 2)
        try await whole.wait(for: SettlementPosted.type, 1)
    }

    // MARK: Answers

    private func ask(_ text: String, as subject: String, _ settlements: Int) async throws {
        whole.say(text)
        try await whole.insist(
            "POST", "/v1/chat/completions", as: subject,
            [
                "model": "olga/tides", "messages": [["role": "user", "content": "harbour master ledger tide?"]], "max_tokens": 80,
            ])
        try await whole.wait(for: SettlementPosted.type, settlements)
    }

    private func answers(_ people: People, _ tides: String) async throws {
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
        try await whole.call(
            "POST", "/v1/settlements/\(settled[2])/refunds", as: "root", ["amount": amount(5_000), "reason": "late"])
    }

    // MARK: Payouts

    /// Ann's wallet by her linked key, another by the key that it named, and a third by the recovery key.
    private func wallets(of people: People, _ last: String) async throws {
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

    private func payouts(_ people: People) async throws {
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
        try await whole.call(
            "POST", "/v1/stakes/slash", as: "root",
            ["pool": "house", "account": "validator:vera2", "amount": amount(1_000), "ruling": "by-hand"])
        try await whole.wait(for: StakeWithdrawn.type, 1)
        try await whole.wait(for: HoldReleased.type, 2)
    }

    private func endings(_ people: People, _ tides: String, _ breads: String) async throws {
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
        try await whole.call("POST", "/v1/adapters/olga/tides/retire", as: people.olga, ["version": 1])
        try await whole.wait(for: IndexBuilt.type, 3)
        try await authorship(people, tides)
    }

    /// Work that Ann brings in of an author, who claims the account, takes an item back and has the rest erased.
    private func authorship(_ people: People, _ datanet: String) async throws {
        let id = try await contribute(Self.lamps, to: datanet, by: people.ann, people.annKey, author: "Ida Marsh")
        let claim = try await whole.call("POST", "/v1/contributors/claims", as: people.pia, ["name": "Ida Marsh"])
        let (name, author) = (claim["claim"]?.stringValue ?? "", claim["author"]?.stringValue ?? "")
        try await whole.call("POST", "/v1/contributors/claims/\(name)/confirmation", as: people.olga, ["proof": "domain"])
        try await whole.call("POST", "/v1/contributions/\(id)/withdrawal", as: people.pia, ["items": [.string(id + ".1")]])
        try await whole.call("POST", "/v1/contributors/\(author)/erasure", as: people.pia)
    }

    private static let lamps = [
        "The oil of the lamp on the eastern mole is measured every evening, and what is left in the morning is written down again.",
        "When fog comes up the keeper rings the bell once a minute, and counts the strokes on a string of wooden beads by the door.",
    ]

    // MARK: What is left

    private func collected() async throws -> WholeStory {
        let store = try whole.house.context(.billing).openEvidence()
        let events = try await whole.events().map(\.bytes)
        var evidence: [Digest: [UInt8]] = [:]
        for (position, bytes) in events.enumerated() {
            let fact = try Fact(LoggedEvent(position: UInt64(position), version: 0, bytes: bytes))
            for mention in EvidenceMentions.of(type: fact.type, data: fact.data) {
                evidence[mention.digest] = try await store.bytes(mention.digest)
            }
        }
        return WholeStory(events: events, evidence: evidence)
    }
}
