import BillingDomain
import BillingService
import Blobs
import Crypto
import EventLog
import Events
import Identity
import Foundation
import HTTPClient
import JSON
import LedgerService
import Money
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing
import Threads

/// A billing service beside a ledger whose proofs are served, and a whole way of data told to it.
struct ReceiptHouse: Sendable {
    let desk: Desk

    init(_ desk: Desk) throws {
        self.desk = desk
        try desk.house.mount(
            [desk.service.mount, LedgerRoutes(desk.house.ledger).mount], grants: [BillingService.grants, LedgerRoutes.services])
    }

    /// The log's own key, as an auditor would have got it.
    func key() async throws -> String {
        let reply = try await desk.house.transport.send(ClientRequest(url: "http://house/log/v1/keys"))
        let text = String(decoding: try await reply.body.collect(upTo: 65_535), as: UTF8.self)
        return String(try #require(text.split(separator: "\n").first))
    }

    func trust() async throws -> LogTrust { try LogTrust(keys: [try VerifierKey(vkey: try await key())]) }

    /// What the verifier in another language says of a receipt: its exit status and its words.
    func otherVerdict(on receipt: Receipt) async throws -> (status: Int32, words: String) {
        let folder = try TemporaryFolder("receipt")
        let path = folder.path("receipt.json")
        try Data(JSON.write(receipt.json)).write(to: URL(fileURLWithPath: path))
        let key = try await key()
        let script = TestInput.migrations + "/../docs/verify/receipt.py"
        return try await OSThread.run(name: "python") {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", "-B", script, path, key]
            let words = Pipe()
            process.standardOutput = words
            process.standardError = words
            try process.run()
            let data = words.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: data, as: UTF8.self))
        }
    }

    /// Rules under which a settlement is released at once.
    func releaseAtOnce() async throws {
        try await desk.post(
            "/v1/settlements/rules",
            [
                "platform_points": 500, "platform": "platform:house", "holdback_seconds": 0, "dispute_bond": 5, "unbond_seconds": 5,
                "dust": 1,
                "training": ["owner": 0, "datanets": 2_000, "contributors": 5_000, "validators": 500, "compute": 2_500],
            ], key: "rules")
    }

    /// Two contributors' items from their contribution to a published model.
    func publish() async throws {
        let usdc = try #require(House.usdc)
        try await desk.tell(
            DatanetCreated(
                datanet: "dn_1", owner: "olga", domain: "finance", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000,
                    admission: "automatic", minimumQuality: 0, panel: 3, quorum: 2, voting: "role")), as: .datanet, stream: "datanet/dn_1")
        for (who, role) in [("cora", "curator"), ("carl", "curator"), ("vera", "validator"), ("rita", "consumer")] {
            try await desk.tell(
                MemberGranted(datanet: "dn_1", principal: who, role: role), as: .datanet, stream: "member/dn_1-\(who)")
        }
        try await desk.tell(
            MemberRevoked(datanet: "dn_1", principal: "carl", role: "curator"), as: .datanet, stream: "member/dn_1-carl")
        var items: [AdmittedItem] = []
        for owner in ["alice", "bob"] { items.append(try await contribute(owner)) }
        items.sort { $0.commitment < $1.commitment }
        let leaves = try items.map { Merkle.leaf(try JSON.canonical($0.json, allowFractions: false)) }
        let list = try await desk.house.context(.billing).openEvidence().put(canonical: try EvidenceList.encode(items)).hash
        let root = Merkle.root(of: leaves)
        try await desk.tell(
            SnapshotPublished(
                datanet: "dn_1", snapshot: "sn_1", number: 1, root: root, manifest: SHA256.hash([1]), items: items.count, tokens: 40,
                owners: 2, list: list,
                shares: .entries([
                    AttributionShare(owner: "alice", datanet: "dn_1", share: 500_000_000),
                    AttributionShare(owner: "bob", datanet: "dn_1", share: 500_000_000),
                ])), as: .datanet, stream: "snapshot/sn_1")
        let snapshots = [SnapshotReference(datanet: "dn_1", snapshot: "sn_1", number: 1, root: root)]
        try await desk.tell(
            BaseModelRegistered(model: "base", owner: "house", artefact: SHA256.hash([2]), licence: "Apache-2.0", parameters: 9),
            as: .training, stream: "base-model/base")
        try await desk.tell(
            JobCompleted(
                job: "job_1", owner: "acme", base: "base", snapshots: snapshots, adapter: SHA256.hash([3]),
                shares: .entries([
                    AttributionShare(owner: "alice", datanet: "dn_1", share: 500_000_000),
                    AttributionShare(owner: "bob", datanet: "dn_1", share: 500_000_000),
                ]), tokens: 40, fee: Amount(0, usdc), runner: "runner-1", record: SHA256.hash([4])), as: .training, stream: "job/job_1")
        try await desk.tell(
            ModelPublished(
                model: "acme/defi", version: 1, owner: "acme", base: "base", adapter: SHA256.hash([3]), job: "job_1", snapshots: snapshots,
                retrieval: [], price: ModelPrice(request: Amount(0, usdc), input: Amount(1, usdc), output: Amount(1, usdc)),
                split: ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000),
                attribution: AttributionPolicy(
                    rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                    fallback: "tokens", minimumSpan: 4)), as: .training, stream: "model/acme-defi")
    }

    private func contribute(_ owner: String) async throws -> AdmittedItem {
        let contribution = "ct_" + owner
        let commitment = SHA256.hash(utf8: owner)
        let key = try Ed25519PrivateKey.generate()
        var submitted = ContributionSubmitted(
            contribution: contribution, datanet: "dn_1", contributor: owner, kind: "own", manifest: SHA256.hash([5]),
            signer: DIDKey.text(for: key.publicKey), signature: "", items: 1, bytes: 9)
        submitted.signature = Base64URL.encode(try key.sign(submitted.signedBytes))
        try await desk.tell(submitted, as: .ingest, stream: "contribution/\(contribution)")
        try await desk.tell(
            ContributionScreened(
                contribution: contribution, datanet: "dn_1", contributor: owner, rules: "screening/1", accepted: 1, rejected: 0,
                items: .entries([
                    ScreenedItem(
                        item: "it_" + owner, commitment: commitment, owner: owner, licence: "CC0-1.0", language: "en", tokens: 20, bytes: 9,
                        quality: 900, verdict: "accepted", reasons: [], cluster: "it_" + owner)
                ])), as: .ingest, stream: "contribution/\(contribution)")
        let item = AdmittedItem(
            item: "it_" + owner, contribution: contribution, owner: owner, commitment: commitment, tokens: 20, licence: "CC0-1.0",
            language: "en", cluster: "it_" + owner)
        try await desk.tell(
            AdmissionGranted(datanet: "dn_1", contribution: contribution, items: .entries([item])), as: .datanet,
            stream: "admission/\(contribution)")
        return item
    }

    /// An answer, attributed; its settlement's id once it is on the log.
    func answer(_ id: String, fee: Int) async throws -> String {
        var inference = try House().inference(id, payer: "pia", fee: Int128(fee), hold: nil)
        inference.adapter = SHA256.hash([3])
        try await desk.tell(inference, as: .agentGateway, stream: "inference/" + id)
        try await desk.tell(
            try House().attribution(of: id, [("alice", 600_000_000), ("bob", 400_000_000)]), as: .attribution,
            stream: "attribution/at-" + id)
        try await eventually("\(id) is settled") { try await settlements()[id] != nil }
        let settlement = try #require(try await settlements()[id])
        try await eventually("\(id)'s receipt is there") { try await receipt(settlement).status == 200 }
        return settlement
    }

    /// A dispute of an answer's settlement, the ruling that takes owners out of its attribution, and the attribution corrected by it.
    func correct(_ id: String, _ settlement: String, without owners: [String], _ shares: [(String, Int)], number: Int = 1) async throws {
        let reply = try await desk.raw(
            "POST", "/v1/disputes",
            [
                "settlement": .string(settlement), "account": "payer:max", "reason": "not-theirs",
                "evidence": .string(SHA256.hash([8]).prefixed),
            ], key: "dispute-\(id)-\(number)")
        let dispute = try #require(try JSON.parse(reply.body)["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue)
        let ruling = RulingMade(
            ruling: "ru-\(id)-\(number)", about: "dispute", subject: dispute, upheld: true,
            penalties: owners.map { Penalty(principal: $0, points: 1) }, pool: "dn_1")
        // A reaction has the time of what it reacts to.
        let time = LedgerClock.system.now()
        let made = try await desk.tell(ruling, as: .datanet, stream: "ruling/\(ruling.ruling)", at: time)
        try await desk.tell(
            AttributionCorrected(
                attribution: "at-" + id, ruling: ruling.ruling,
                shares: .entries(shares.map { AttributionShare(owner: $0.0, datanet: "dn_1", share: $0.1) }),
                evidence: SHA256.hash(utf8: "e")), as: .attribution, stream: "attribution/at-\(id)-\(number)",
            at: time, cause: made)
    }

    /// The settlements on the log, by what they settle.
    func settlements() async throws -> [String: String] {
        var found: [String: String] = [:]
        let stream = try #require(Decision.stream)
        for event in try await desk.house.ledger.client(for: .billing).read(stream: stream, from: 0, limit: 1_000) {
            let header = try EventHeader(trusted: event.bytes)
            guard header.type == SettlementPosted.type else { continue }
            let data = try SettlementPosted(try JSON.parse(Array(event.bytes[header.data])).object())
            found[data.reference] = data.id
        }
        return found
    }

    /// A receipt that is there, and that both verifiers hold for good.
    func sound(_ id: String, account: String? = nil, token: String? = nil) async throws -> Receipt {
        let reply = try await receipt(id, account: account, token: token)
        try #require(reply.status == 200, "\(String(decoding: reply.body, as: UTF8.self))")
        let receipt = try Receipt(parsing: reply.body)
        let trust = try await trust()
        _ = try ReceiptCheck.check(receipt, trust: trust)
        return receipt
    }

    /// The receipt as somebody gets it.
    func receipt(_ id: String, account: String? = nil, token: String? = nil) async throws -> (status: Int, body: [UInt8]) {
        try await desk.raw(
            "GET", "/v1/receipts/\(id)" + (account.map { "?account=" + $0 } ?? ""), nil, key: nil, token: token)
    }
}
