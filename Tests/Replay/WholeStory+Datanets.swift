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

/// Two Datanets: contributions, panels, an appeal, a trap, a vote on the rules.
extension StoryTelling {
    func policy(_ admission: String, treasury: Int = 1_000) -> JSONValue {
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

    func contribute(
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
            ["manifest": manifest, "signature": .string(try signature(manifest, key))])
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

    func datanets(_ people: People) async throws -> (tides: String, breads: String) {
        let tides = try await create("tides", "automatic", people.olga), breads = try await create("breads", "review", people.olga)
        try await whole.call(
            "POST", "/v1/datanets/\(tides)/page", as: people.olga, ["name": "Tides", "summary": "What harbours write down."])
        for number in 1...6 {
            try await member(breads, "vera\(number)", "validator", people.olga)
            try await whole.call(
                "POST", "/v1/stakes", as: "root",
                ["pool": .string(breads), "account": .string("validator:vera\(number)"), "amount": amount(50_000)])
        }
        for datanet in [tides, breads] { try await member(datanet, "cora", "curator", people.olga) }
        try await member(breads, "gus", "consumer", people.olga)
        try await whole.call(
            "POST", "/v1/datanets/\(breads)/members/revocations", as: people.olga, ["principal": "gus", "role": "consumer"])
        // One row twice: the second is refused.
        _ = try await contribute(Self.tide + [Self.tide[0]], to: tides, by: people.ann, people.annKey)
        _ = try await contribute(Self.bees, to: tides, by: people.carl, people.carlKey)
        try await whole.wait(for: AdmissionGranted.type, 2)
        // A trap, a refusal that an appeal turns round.
        let salt = "grain-of-salt-0123456789"
        let bread = try await contribute(Self.bread, to: breads, by: people.carl, people.carlKey)
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
        try await whole.call("GET", "/v1/datanets/\(breads)/search?q=loaf", as: people.pia)
        return (tides, breads)
    }

    /// What a contributor signs of a manifest.
    private func signature(_ manifest: JSONValue, _ key: Ed25519PrivateKey) throws -> String {
        func text(_ name: String) -> String { manifest[name]?.stringValue ?? "" }
        return Base64URL.encode(
            try key.sign(
                ContributionSubmitted.message(
                    datanet: text("datanet"), contributor: text("contributor"), kind: text("kind"),
                    supersedes: manifest["supersedes"]?.stringValue, manifest: SHA256.hash(try JSON.canonical(manifest)))))
    }

    func create(_ domain: String, _ admission: String, _ owner: String) async throws -> String {
        let made = try await whole.call(
            "POST", "/v1/datanets", as: owner, ["domain": .string(domain), "media": "text", "policy": policy(admission)])
        return try #require(made["datanet"]?.stringValue)
    }

    func member(_ datanet: String, _ principal: String, _ role: String, _ owner: String) async throws {
        try await whole.call(
            "POST", "/v1/datanets/\(datanet)/members", as: owner, ["principal": .string(principal), "role": .string(role)])
    }

    /// A contribution that its panel admits and a trap turns out.
    func trapped(_ datanet: String, _ people: People, _ salt: String) async throws -> String {
        let key = people.annKey
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
            ["manifest": manifest, "signature": .string(try signature(manifest, key))])
        let id = try #require(begun["contribution"]?.stringValue)
        let trap = try await whole.call(
            "POST", "/v1/datanets/\(datanet)/traps", as: people.olga,
            ["contribution": .string(id), "commitment": .digest(TrapCommitment.make(contribution: id, admit: false, salt: salt))])
        try await whole.call("PATCH", "/v1/contributions/\(id)/files/0", as: people.ann, bytes: file, headers: [("Upload-Offset", "0")])
        try await whole.call("POST", "/v1/contributions/\(id)/finish", as: people.ann)
        try await vote(datanet, id, round: 1, admit: true)
        try await whole.insist(
            "POST", "/v1/datanets/\(datanet)/traps/\(trap["trap"]?.stringValue ?? "")/revelation", as: people.olga,
            ["contribution": .string(id), "admit": false, "salt": .string(salt)])
        return id
    }

    func vote(_ datanet: String, _ contribution: String, round: Int, admit: Bool) async throws {
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

    func govern(_ datanet: String) async throws {
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
}
